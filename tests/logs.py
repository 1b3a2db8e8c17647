"""Logs as other programs write them, for tests of what is imported."""

from pathlib import Path

STEPS = 60


def lightning(folder: Path) -> Path:
    """Lightning's CSVLogger with its `grad_norm`: one row a call, gaps elsewhere; a spike at step 40, norms of parameters."""
    lines = ["epoch,step,train_loss,grad_2.0_norm_total,grad_2.0_norm/lstm.weight_hh_l0,grad_2.0_norm/fc.weight,val_loss,lr-Adam"]
    for step in range(STEPS):
        total = 5000.0 if step == 40 else 1.0 + 0.5 * (step % 3)
        lines.append(f"{step // 10},{step},{4 - 0.04 * step:.4f},{total},{0.6 * total},{0.8 * total},,0.01")
        if step % 10 == 9:
            lines.append(f"{step // 10},{step},,,,,{4.1 - 0.04 * step:.4f},")
    return _file(folder / "metrics.csv", lines)


def lags(folder: Path) -> Path:
    """Norms per lag at three training steps: factors 0.5, 0.7 and 0.9 per step back."""
    rows = [f"{step},{lag},{factor**lag!r}" for step, factor in ((0, 0.5), (30, 0.7), (60, 0.9)) for lag in range(30)]
    return _file(folder / "lags.csv", ["step,lag,norm", *rows])


def bare(folder: Path) -> Path:
    """Training steps and gradient norms, nothing else; the last is not finite."""
    return _file(folder / "bare.csv", ["step,grad_norm", *(f"{step},{2 + step // 10 % 5}" for step in range(0, 10 * STEPS, 10)), "600,inf"])


def _file(path: Path, lines: list[str]) -> Path:
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path
