"""How the report writes numbers."""

TIMES = "\N{MULTIPLICATION SIGN}"


def milliseconds(seconds):
    """A time in three digits, or in whole milliseconds from a second on."""
    return f"{1e3 * seconds:.3g} ms" if seconds < 1 else f"{1e3 * seconds:.0f} ms"


def factor(value):
    """How many times, in three digits."""
    return f"{value:.3g}{TIMES}"


def interval_text(ratio):
    """A ratio with the ends of its interval, if it has one; empty for None."""
    if not ratio:
        return ""
    interval = f" ({ratio.low:.2f} to {ratio.high:.2f})" if ratio.low is not None else ""
    return f"{ratio.value:.2f}x{interval}"
