"""Kinks: where a function has no derivative, and differences across it say nothing about a gradient."""

from anynet.gradcheck.differences import Function, Host, Line, slope


def at_kink(f: Function, x: Host, line: Line, promised: float, h: float, rounding: float, tolerance: float) -> bool:
    """Whether a slope differs from the promised one because of a kink within the step.

    promised: the slope by the gradient under test.
    h: the step of the difference that was taken. rounding: of f, which a step h makes rounding / h of in a slope.
    tolerance: relative, of slopes.

    Two signs tell, as the step is made smaller. On one side at least the slope becomes the promised one, far from what
    it is across the kink. Or the slopes ahead and behind stay apart, where those of a smooth function meet. A wrong
    gradient of a smooth function shows neither.
    """
    ahead, behind = slope(f, x, line, h, 0), slope(f, x, line, 0, h)
    across, previous, apart = (ahead + behind) / 2, abs(ahead - behind), False
    for step in (h / 10, h / 100, h / 1000):
        blur = rounding / step
        ahead, behind = slope(f, x, line, step, 0), slope(f, x, line, 0, step)
        kept = min(abs(ahead - promised), abs(behind - promised)) <= tolerance * abs(promised) + blur
        if kept and abs(across - promised) > 2 * blur:
            return True
        if previous / 2 > 4 * blur:  # else it is too blurred to tell
            apart = abs(ahead - behind) > previous / 2
        previous = abs(ahead - behind)
    return apart
