"""The job in JAX: a jitted scan. Zeros added to each state give its total gradient at every step."""

from collections.abc import Callable

import jax
import jax.numpy as jnp
from job import LEFT, RIGHT, Job

Arrays = dict[str, jax.Array]
Steps = tuple[jax.Array, ...]


def recorded(job: Job) -> Callable[[], dict[str, object]]:
    wide = {
        name: jnp.concatenate(list(array), axis=-1) if name in ("weight_ih", "weight_hh", "bias") else jnp.asarray(array)
        for name, array in job.weights.items()
    }
    inputs, d_outputs = jnp.asarray(job.batch.inputs), jnp.asarray(job.d_outputs)
    step = {"rnn": rnn_step, "gru": gru_step, "lstm": lstm_step}[job.cell]
    count, shape = (2 if job.cell == "lstm" else 1), (job.size.steps, job.size.batch, job.size.units)

    def forward(weights: Arrays, inputs: jax.Array, added: Steps) -> tuple[jax.Array, tuple[jax.Array, Steps, Steps]]:
        def body(states: Steps, given: tuple[jax.Array, Steps]) -> tuple[Steps, tuple[Steps, Steps]]:
            states, gates = step(given[0], states, given[1], weights)
            return states, (states, gates)

        start = (jnp.zeros(shape[1:]),) * count
        _, (states, gates) = jax.lax.scan(body, start, (inputs @ weights["weight_ih"] + weights["bias"], added))
        outputs = states[0] @ weights["readout.weight"] + weights["readout.bias"]
        return (outputs * d_outputs).sum(), (outputs, states, gates)

    @jax.jit
    def job_of(weights: Arrays, inputs: jax.Array) -> dict[str, object]:
        added = (jnp.zeros(shape),) * count
        gradients, (outputs, states, gates) = jax.grad(forward, argnums=(0, 1, 2), has_aux=True)(weights, inputs, added)
        return {"outputs": outputs, "weights": gradients[0], "inputs": gradients[1], **observed(states, gradients[2], gates, job)}

    return lambda: jax.block_until_ready(job_of(wide, inputs))


def observed(states: Steps, gradients: Steps, gates: Steps, job: Job) -> dict[str, object]:
    """What is told of each step: norms, means and saturation, (time, batch) each, besides the arrays themselves."""
    of_gates, flat = (gates[:-1], (states[0], gates[-1])) if gates else ((), (states[0],))
    return {
        "states": states, "gradients": gradients, "gates": gates,
        "norms": [jnp.linalg.norm(state, axis=2) for state in states],
        "d_norms": [jnp.linalg.norm(gradient, axis=2) for gradient in gradients],
        "means": [gate.mean(axis=2) for gate in of_gates],
        "left": [(gate < LEFT).mean(axis=2) for gate in of_gates],
        "right": [(gate > RIGHT).mean(axis=2) for gate in of_gates],
        "flat": [(jnp.abs(array) > RIGHT).mean(axis=2) for array in flat],
    }  # fmt: skip


def rnn_step(x: jax.Array, states: Steps, added: Steps, weights: Arrays) -> tuple[Steps, Steps]:
    return (jnp.tanh(x + states[0] @ weights["weight_hh"]) + added[0],), ()


def gru_step(x: jax.Array, states: Steps, added: Steps, weights: Arrays) -> tuple[Steps, Steps]:
    (h,) = states
    x_r, x_z, x_n = jnp.split(x, 3, 1)
    h_r, h_z, h_n = jnp.split(h @ weights["weight_hh"], 3, 1)
    r, z = jax.nn.sigmoid(x_r + h_r), jax.nn.sigmoid(x_z + h_z)
    n = jnp.tanh(x_n + r * (h_n + weights["bias_hh"]))
    return (n + z * (h - n) + added[0],), (r, z, n)


def lstm_step(x: jax.Array, states: Steps, added: Steps, weights: Arrays) -> tuple[Steps, Steps]:
    h, c = states
    o, i, f, g = jnp.split(x + h @ weights["weight_hh"], 4, 1)
    o, i, f, g = jax.nn.sigmoid(o), jax.nn.sigmoid(i), jax.nn.sigmoid(f), jnp.tanh(g)
    c = f * c + i * g + added[1]
    return (o * jnp.tanh(c) + added[0], c), (o, i, f, g)
