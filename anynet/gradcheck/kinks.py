"""Detection of kinks: points without a derivative, where differences do not tell if a gradient is right."""

from anynet.gradcheck.differences import FloatArray, Function, Line, StepLostError, slope


def at_kink(
    f: Function, x: FloatArray, line: Line, analytical: float, h: float, rounding: float, tolerance: float
) -> bool:
    """Return True if a kink within the step explains why a difference quotient is not the analytical slope.

    The step is made smaller, and either of two signs tells a kink. First, a one-sided slope becomes the analytical one
    and the central slope approaches it too; the second condition excludes a one-sided slope that has the analytical
    value by chance, because the function bends. Second, the slopes ahead and behind stay apart, while those of a smooth
    function approach each other. A smooth function with a wrong gradient shows neither sign.

    Parameters
    ----------
    f : callable
    x : ndarray
    line : Line
    analytical : float
        Slope by the gradient under test.
    h : float
        Step of the difference quotient.
    rounding : float
        Bound on the rounding error of the function's value.
    tolerance : float
        Relative error of slopes that passes.

    Returns
    -------
    bool
    """
    ahead, behind = slope(f, x, line, h, 0), slope(f, x, line, 0, h)
    off, previous, apart = abs((ahead + behind) / 2 - analytical), abs(ahead - behind), False
    size = max(abs(analytical), abs(ahead + behind) / 2)
    for step in (h / 4**i for i in range(1, 6)):
        try:
            ahead, behind = slope(f, x, line, step, 0), slope(f, x, line, 0, step)
        except StepLostError:
            break
        noise = rounding / step
        allowed = tolerance * size + noise
        before, off = off, abs((ahead + behind) / 2 - analytical)
        kept = min(off, abs(ahead - analytical), abs(behind - analytical)) <= allowed
        # Far from the analytical slope at the larger step, and nearer now: noise alone does neither.
        if kept and before > 8 * noise and off <= 3 / 4 * before:
            return True
        if previous / 2 > 4 * noise:  # otherwise noise hides the difference
            apart = abs(ahead - behind) > previous / 2
        previous = abs(ahead - behind)
    return apart
