"""Kinks: where a function has no derivative, and differences across it say nothing about a gradient."""

from anynet.gradcheck.differences import Function, Host, Line, StepLostError, slope


def at_kink(f: Function, x: Host, line: Line, promised: float, h: float, rounding: float, tolerance: float) -> bool:
    """Whether a slope differs from the promised one because of a kink within the step.

    promised: the slope by the gradient under test.
    h: the step of the difference that was taken. rounding: of f, which a step h makes rounding / h of in a slope.
    tolerance: relative, of slopes.

    Two signs tell, as the step is made smaller. On one side at least the slope becomes the promised one, and across the
    kink it moves there too, which distinguishes it from a slope ahead that a bend happens to make the promised one. Or
    the slopes ahead and behind stay apart, where those of a smooth function meet. A wrong gradient of a smooth function
    shows neither. Steps that rounding swallows tell nothing.
    """
    ahead, behind = slope(f, x, line, h, 0), slope(f, x, line, 0, h)
    off, previous, apart = abs((ahead + behind) / 2 - promised), abs(ahead - behind), False
    size = max(abs(promised), abs(ahead + behind) / 2)
    for step in (h / 4**i for i in range(1, 6)):
        try:
            ahead, behind = slope(f, x, line, step, 0), slope(f, x, line, 0, step)
        except StepLostError:
            break
        blur = rounding / step
        allowed = tolerance * size + blur
        before, off = off, abs((ahead + behind) / 2 - promised)
        kept = min(off, abs(ahead - promised), abs(behind - promised)) <= allowed
        # Far from the promised slope at the larger step, and nearer now: noise alone does neither.
        if kept and before > 8 * blur and off <= 3 / 4 * before:
            return True
        if previous / 2 > 4 * blur:  # else it is too blurred to tell
            apart = abs(ahead - behind) > previous / 2
        previous = abs(ahead - behind)
    return apart
