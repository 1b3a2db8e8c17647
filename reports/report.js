"use strict";
/* A page of figures. Each figure is {data, layout, frames, start}: a frame is one position of its control (most figures have none and one
   frame), given as changes to the figure: `wide`, and on top of it `medium` or `narrow` for smaller pages. Colours are written "@name" and
   looked up in the theme shown now. */

const $ = (selector, root = document) => root.querySelector(selector);
const $$ = (selector, root = document) => [...root.querySelectorAll(selector)];
const dark = matchMedia("(prefers-color-scheme: dark)"), touch = matchMedia("(pointer: coarse)");
const NARROW = 560, MEDIUM = 860, PRINT_WIDTH = 680;
let tokens, figures, config, printing = false;

async function unpack(id) {
  const bytes = Uint8Array.from(atob($("#" + id).textContent), letter => letter.charCodeAt(0));
  return new Response(new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"))).text();
}

/* colours */
const theme = () => printing ? "light" : document.documentElement.dataset.theme || (dark.matches ? "dark" : "light");
const alpha = (hex, share) => `rgba(${[1, 3, 5].map(i => parseInt(hex.slice(i, i + 2), 16)).join()},${share})`;

function colour(name) {
  const shown = printing ? {...tokens.light, paper: "#ffffff"} : tokens[theme()];
  if (name.endsWith("_band")) return alpha(shown[name.slice(0, -5)], theme() === "dark" ? .22 : .14);
  if (name.endsWith("_soft")) return alpha(shown[name.slice(0, -5)], .82);
  if (name === "font") return tokens.font.text;
  if (name === "mono") return tokens.font.mono;
  const scale = tokens.scale[name];
  return shown[name] ?? (Array.isArray(scale) ? scale.map((stop, i) => [i / (scale.length - 1), stop]) : scale);
}

function resolve(value) {
  if (typeof value === "string") return value[0] === "@" ? colour(value.slice(1)) ?? value : value;
  if (Array.isArray(value)) return typeof value[0] === "number" && typeof value[1] !== "string" ? value : value.map(resolve); // [0, "@zero"]
  return value && typeof value === "object" ? Object.fromEntries(Object.entries(value).map(([key, item]) => [key, resolve(item)])) : value;
}

/* figures */
function changed(base, changes) {
  let result = base;
  for (const [path, value] of changes) result = put(result, path, value);
  return result;
}

function put(node, [key, ...rest], value) {
  if (key === undefined) return value;
  const copy = Array.isArray(node) ? [...node] : {...node};
  copy[key] = put(copy[key], rest, value);
  return copy;
}

function draw(plot) {
  const figure = figures[plot.dataset.figure], width = plot.clientWidth, narrow = width < NARROW;
  const frame = figure.frames[+(plot.dataset.frame ?? figure.start)];
  const wide = changed({data: figure.data, layout: figure.layout}, frame.wide);
  const {data, layout} = resolve(width >= MEDIUM ? wide : changed(wide, narrow ? frame.narrow : frame.medium));
  layout.width = width;
  if (touch.matches || narrow) layout.dragmode = false;
  plot.style.setProperty("--height", layout.height + "px");
  plot.classList.remove("waiting");
  plot.dataset.width = width;
  return Plotly.react(plot, data, layout, {...config, displayModeBar: touch.matches || narrow || printing ? false : "hover"});
}
const drawn = () => $$(".plot[data-width]");
const redraw = () => drawn().forEach(draw);

/* Those in sight first, then one after the other, so that the page can be read and scrolled at once. */
async function drawAll() {
  const distance = plot => Math.abs(plot.getBoundingClientRect().top - innerHeight / 2);
  for (const plot of $$(".plot").sort((a, b) => distance(a) - distance(b))) {
    draw(plot);
    await new Promise(next => setTimeout(next));
  }
}

/* what a reader may choose: a training step or a token with a slider, a run from a list */
function control(box) {
  const holder = box.closest("figure"), plot = $(".plot", holder), chooser = $("input, select", box), play = $(".play", box);
  const {frames, start} = figures[plot.dataset.figure];
  let timer = 0;
  const show = () => {
    const frame = frames[+chooser.value];
    plot.dataset.frame = chooser.value;
    if (chooser.type === "range") {
      $("output bdi", box).textContent = frame.name;
      chooser.setAttribute("aria-valuetext", frame.spoken);
    }
    $("h3", holder).textContent = frame.title;
    $(".sub", holder).textContent = frame.subtitle;
    if (plot.dataset.width) draw(plot);
  };
  const stop = () => { clearInterval(timer); timer = 0; if (play) play.textContent = "Play"; };
  const tick = () => { chooser.value = +chooser.value + 1; show(); if (+chooser.value >= frames.length - 1) stop(); };
  chooser.addEventListener("input", () => { stop(); show(); });
  play?.addEventListener("click", () => {
    if (timer) return stop();
    if (+chooser.value >= frames.length - 1) { chooser.value = 0; show(); }
    play.textContent = "Pause";
    timer = setInterval(tick, 160);
  });
  const to = at => { chooser.value = at; show(); };
  return {open: () => { stop(); const at = chooser.value; to(start); return at; }, to};
}

/* the numbers behind a figure */
function rows(table) {
  const columns = table.columns.map(column => column.levels ? column.codes.map(code => column.levels[code]) : column.values);
  return [table.columns.map(column => column.name), ...columns[0].map((_, i) => columns.map(column => column[i]))];
}
/* A spreadsheet would run a text that begins with = + - or @; a quote in front keeps it a text. */
const plain = value => typeof value === "string" && /^[=+@\t\r-]./.test(value) && !/^-inf$/.test(value) ? "'" + value : String(value ?? "");
const quoted = value => /[",\r\n]/.test(value) ? `"${value.replaceAll('"', '""')}"` : value;

function offers(details) {
  const plot = $(".plot", details.closest("figure")), name = "gradviz-" + plot.dataset.figure, copy = $(".copy", details);
  const table = separator => rows(figures[plot.dataset.figure].table).map(row => row.map(plain).map(v => separator === "," ? quoted(v) : v.replace(/[\t\r\n]/g, " ")).join(separator)).join("\n");
  const say = text => { copy.textContent = text; setTimeout(() => copy.textContent = "Copy", 1600); };
  copy.addEventListener("click", () => navigator.clipboard.writeText(table("\t")).then(() => say("Copied"), () => say("Copying is blocked here")));
  $(".csv", details).addEventListener("click", () => {
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([table(",") + "\n"], {type: "text/csv"}));
    link.download = name + ".csv";
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 1000);
  });
  $(".picture", details).addEventListener("click", () => Plotly.downloadImage(plot, {format: "svg", filename: name, width: plot.clientWidth, height: plot._fullLayout.height}));
}

/* the page around the figures */
function followTheme() {
  for (const choice of $$("input[name=theme]")) choice.addEventListener("change", () => {
    if (choice.value) document.documentElement.dataset.theme = choice.value; else delete document.documentElement.dataset.theme;
    redraw();
  });
  dark.addEventListener("change", redraw);
}

/* a lesson is written in two notations */
function followNotation() {
  for (const choice of $$("input[name=notation]")) choice.addEventListener("change", () => document.documentElement.dataset.notation = choice.value);
}

function followWidth() {
  let wait = 0;
  const look = () => drawn().filter(plot => +plot.dataset.width !== plot.clientWidth).forEach(draw);
  new ResizeObserver(() => { clearTimeout(wait); wait = setTimeout(() => printing || look(), 80); }).observe($("main"));
}

function followReader() {
  const links = $$(".rail a");
  const mark = id => links.forEach(link => link.hash === "#" + id ? link.setAttribute("aria-current", "true") : link.removeAttribute("aria-current"));
  const seen = new IntersectionObserver(entries => entries.filter(entry => entry.isIntersecting).forEach(entry => mark(entry.target.id)), {rootMargin: "-10% 0px -75% 0px"});
  links.forEach(link => seen.observe($(link.hash)));
}

/* A figure is drawn once, by its control if it has one: of two drawings that follow at once the first one wins. */
function followPrinter(controls) {
  let kept = [];
  const size = width => $$(".plot").forEach(plot => plot.style.width = width);
  const others = () => $$(".plot").filter(plot => !$(".controls", plot.closest("figure"))).forEach(draw);
  addEventListener("beforeprint", () => { printing = true; size(PRINT_WIDTH + "px"); kept = controls.map(one => one.open()); others(); });
  addEventListener("afterprint", () => { printing = false; size(""); controls.forEach((one, i) => one.to(kept[i])); others(); });
}

(async () => {
  const [library, pack] = await Promise.all([unpack("library"), unpack("pack")]);
  ({tokens, figures, config} = JSON.parse(pack));
  const script = document.createElement("script");
  script.textContent = library;
  document.head.append(script);
  const controls = $$(".controls").map(control);
  $$("details.data").forEach(offers);
  followTheme();
  followNotation();
  followReader();
  followPrinter(controls);
  await drawAll();
  followWidth();
  document.documentElement.dataset.ready = "yes";
})();
