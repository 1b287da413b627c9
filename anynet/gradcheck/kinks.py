"""Kinks: where a function has no derivative, and differences across it say nothing about a gradient."""

from collections.abc import Callable

from anynet.gradcheck.differences import Function, Host, Line, slope

SHRINKS = (10, 100, 1000)


def at_kink(
    f: Function, x: Host, line: Line, h: float, promised: float, tolerance: float, noise: Callable[[float], float]
) -> bool:
    """Whether a slope differs from the promised one because of a kink within the step.

    h: the step of the difference that was taken.
    promised: the slope by the gradient under test.
    tolerance: relative. noise: what rounding may make of a slope, by step.

    Two signs tell, as the step is made smaller. On one side at least the slope becomes the promised one, far from what
    it is across the kink. Or the slopes ahead and behind stay apart, where those of a smooth function meet. A wrong
    gradient of a smooth function shows neither.
    """
    across, jumps = slope(f, x, line, h, h), []
    for shrink in SHRINKS:
        step, blur = h / shrink, noise(h / shrink)
        sides = slope(f, x, line, step, 0), slope(f, x, line, 0, step)
        kept = any(abs(side - promised) <= tolerance * max(abs(side), abs(promised)) + blur for side in sides)
        if kept and abs(across - promised) > 2 * blur:
            return True
        jumps.append(abs(sides[0] - sides[1]))
    return jumps[-1] > max(4 * blur, 0.5 * jumps[-2])
