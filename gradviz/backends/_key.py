"""The key of a picture where no page draws its samples: each as a few letters with a colour, or in words."""

from gradviz.charts._description import Description

# kind of sample: (letters that look like it, name of its colour, what it is called in a caption)
SAMPLES = {
    "start": ("━━", "ghost", "grey"),
    "clipped": ("━●━", "ink", "solid"),
    "unclipped": ("╍○╍", "ink", "dashed"),
    "faint": ("●", "ghost", "grey"),
    "dot": ("●", "ink", "filled marks"),
    "ring": ("○", "ink", "open marks"),
    "cross": ("×", "ink", "crosses"),
    "zero": ("■", "zero", "black"),
    "infinite": ("■", "infinite", "violet"),
    "nan": ("■", "nan", "dark grey"),
}


def samples(description: Description) -> list[tuple[str, str, str]]:
    """(letters, name of their colour, what they mean), in the order of the key."""
    return [(*SAMPLES[kind][:2], text) for kind, text in description.key]


def caption(description: Description) -> str:
    """What a paper says below the figure: subtitle, key in words, source. The title stands before it."""
    key = "; ".join(f"{SAMPLES[kind][2]}: {text}" for kind, text in description.key)
    source = f"After {description.source}." if description.source else ""
    said = (description.subtitle, f"{key[:1].upper()}{key[1:]}." if key else "", source)
    return " ".join(part for part in said if part)
