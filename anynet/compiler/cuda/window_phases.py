"""Lower what windows of images need to phases: patches, their adjoint, and max-pooling.

Images are arrays of shape (..., N * H * W, C). Patches are arrays of shape (..., N * H' * W', groups, rows * columns *
C / groups): what the kernel sees at each place. Channels are the last axis of the loops, so that the threads of a warp
read and write neighbors. The axes are called: n, i, j, c for image, row, column, channel; g for a group of channels,
with its channels c; a, b for row and column in the kernel. Those of members are ahead.
"""

from anynet.compiler.cuda.expressions import ENDS, REDUCTIONS, number_type
from anynet.compiler.cuda.phases import INT, Access, Phase, Place, broadcast_strides
from anynet.compiler.cuda.reductions import TypedReduction, Workers
from anynet.core.typing import ConcreteArray as Array
from anynet.core.window import Window


def gather(x: Array, window: Window, groups: int, patches: Array) -> Phase:
    """Return the loop that copies what each place of a window sees; padding is 0.

    Parameters
    ----------
    x : cupy.ndarray, shape (..., N * H * W, C)
    window : Window
    groups : int
    patches : cupy.ndarray, shape (..., N * H' * W', groups, rows * columns * C / groups)
        Contiguous. Of the dtype of `x`; or of bfloat16; or, if `x` is of float32, of uint32 for pairs of channels in
        bfloat16: then the last axis is half as long.

    Returns
    -------
    Phase
    """
    pair = 2 if patches.dtype == "uint32" and x.dtype == "float32" else 1  # channels for each element of patches
    members, n = patches.shape[:-3], x.shape[-1] // groups // pair
    axes, (rows, columns), (down, across) = "nijgabc", window.kernel, window.stride
    *to_members, place, group, c = broadcast_strides(patches, patches.shape)
    of_members, image, row, column, channel = _strides(x, members, window.image)
    step = channel * pair
    seen = _along(axes, n=image, i=row * down, j=column * across, g=step * n, a=row, b=column, c=step)
    kept = _along(axes, **_pixels(place, window.out), g=group, a=c * columns * n, b=c * n, c=c)
    inside, places = _inside(window, members, axes)
    value = "{x0}" if pair == 1 else "(bfloat16({x0}).bits | (unsigned)bfloat16({x1}).bits << 16)"
    return Phase(
        (*members, window.images(x.shape[-2]), *window.out, groups, rows, columns, n),
        tuple(Access(x, (*of_members, *seen), _first(window, row, column, k * channel)) for k in range(pair)),
        (Access(patches, (*to_members, *kept)),),
        (f"{{y0}} = {inside} ? {value} : 0;" if inside else f"{{y0}} = {value};",),
        places=places,
    )


def fold(patches: Array, window: Window, groups: int, out: Array) -> Phase:
    """Return the loop in which each pixel sums what belongs to it in patches: the adjoint of `gather`.

    Parameters
    ----------
    patches : cupy.ndarray, shape (..., N * H' * W', groups, rows * columns * C / groups)
    window : Window
    groups : int
    out : cupy.ndarray, shape (..., N * H * W, C)

    Returns
    -------
    Phase
    """
    members, n, axes = out.shape[:-2], out.shape[-1] // groups, "nijgcab"
    *of_members, place, group, c = broadcast_strides(patches, (*members, *patches.shape[-3:]))
    to_members, image, row, column, channel = _strides(out, members, window.image)
    summed = _along(axes, n=_pixels(place, window.out)["n"], g=group, c=c, a=c * window.kernel[1] * n, b=c * n)
    lines, places = _places_that_see(window, members, axes)
    return Phase(
        (*members, window.images(out.shape[-2]), *window.image, groups, n),
        (Access(patches, (*of_members, *summed), _place_that_sees(window, place)),),
        (Access(out, (*to_members, *_along(axes, n=image, i=row, j=column, g=channel * n, c=channel))),),
        (*lines, "const X x = seen ? {x0} : 0;"),
        window.kernel,
        _by_thread("sum", out),
        places=places,
    )


def max_pool(x: Array, window: Window, out: Array) -> Phase:
    """Return the loop in which each place takes the largest pixel that it sees.

    Parameters
    ----------
    x : cupy.ndarray, shape (..., N * H * W, C)
    window : Window
    out : cupy.ndarray, shape (..., N * H' * W', C)

    Returns
    -------
    Phase
    """
    members, axes, (down, across) = out.shape[:-2], "nijcab", window.stride
    of_members, image, row, column, channel = _strides(x, members, window.image)
    to_members, *to = _strides(out, members, window.out)
    seen = _along(axes, n=image, i=row * down, j=column * across, c=channel, a=row, b=column)
    inside, places = _inside(window, members, axes)
    value = f"{inside} ? {{x0}} : {_least(out)}" if inside else "{x0}"
    return Phase(
        (*members, window.images(x.shape[-2]), *window.out, x.shape[-1]),
        (Access(x, (*of_members, *seen), _first(window, row, column)),),
        (Access(out, (*to_members, *to, 0, 0)),),
        (f"const X x = {value};",),
        window.kernel,
        _by_thread("max", out),
        places=places,
    )


def max_pool_to_input(dy: Array, x: Array, y: Array, window: Window, out: Array) -> Phase:
    """Return the loop in which each pixel sums the gradients of the places where it is the first largest one.

    Parameters
    ----------
    dy, y : cupy.ndarray, shape (..., N * H' * W', C)
    x, out : cupy.ndarray, shape (..., N * H * W, C)
    window : Window

    Returns
    -------
    Phase
    """
    members, axes, columns = out.shape[:-2], "nijcab", window.kernel[1]
    of_members, image, row, column, channel = _strides(x, members, window.image)
    to_members, *to = _strides(out, members, window.image)
    lines, places = _places_that_see(window, members, axes)
    (height, width), (top, _, left, _) = window.image, window.padding
    inside = " && ".join(
        f"(unsigned)({name}) < {n}u"
        for name, n, added in (("qy", height, window.padding[:2]), ("qx", width, window.padding[2:]))
        if any(added)
    )
    other = f"{inside} && {{x3}}" if inside else "{x3}"

    def of_place(array: Array) -> Access:
        ahead, n, _, pixel, c = _strides(array, members, window.out)
        return Access(array, (*ahead, *_along(axes, n=n, c=c)), _place_that_sees(window, pixel))

    body = (
        *lines,
        "X x = 0;",
        "if (seen) {{",
        "    const X most = {x1};",
        "    bool first_one = {x0} == most;",
        "    for (int e = 0; first_one && e < {p2}; e++) {{",
        f"        const int qy = py - {top} + e / {columns}, qx = px - {left} + e % {columns};",
        f"        first_one = !({other} == most);",
        "    }}",
        "    if (first_one) x = {x2};",
        "}}",
    )
    own = Access(x, (*of_members, *_along(axes, n=image, i=row, j=column, c=channel)))
    earlier = Access(
        x, (*of_members, *_along(axes, n=image, c=channel)), f"qy * {_number(row, (height, 1))} + qx * {column}"
    )
    return Phase(
        (*members, window.images(x.shape[-2]), *window.image, x.shape[-1]),
        (own, of_place(y), of_place(dy), earlier),
        (Access(out, (*to_members, *to, 0, 0)),),
        body,
        window.kernel,
        _by_thread("sum", out),
        places=(*places, _place(members, axes, 0, a=columns, b=1)),
    )


def _strides(
    array: Array, members: tuple[int, ...], size: tuple[int, int]
) -> tuple[tuple[int, ...], int, int, int, int]:
    """Return the strides of images of this size: those of members, then of images, rows, columns and channels."""
    *ahead, pixel, channel = broadcast_strides(array, (*members, *array.shape[-2:]))
    return tuple(ahead), pixel * size[0] * size[1], pixel * size[1], pixel, channel


def _pixels(stride: int, size: tuple[int, int]) -> dict[str, int]:
    """Return the strides of images, rows and columns of pixels, given that of pixels."""
    return {"n": stride * size[0] * size[1], "i": stride * size[1], "j": stride}


def _along(axes: str, **factors: int) -> tuple[int, ...]:
    """Return the factors of axes, 0 for those that are left out."""
    return tuple(factors.get(axis, 0) for axis in axes)


def _place(members: tuple[int, ...], axes: str, constant: int, **factors: int) -> Place:
    return Place((*(0 for _ in members), *_along(axes, **factors)), constant)


def _first(window: Window, row: int, column: int, channel: int = 0) -> str:
    """Return the offset of a channel of the first pixel of the padded image, given the strides of rows and columns."""
    top, _, left, _ = window.padding
    return f"{channel - top * row - left * column or ''}"


def _inside(window: Window, members: tuple[int, ...], axes: str) -> tuple[str, tuple[Place, ...]]:
    """Return the condition that a pixel that a place sees is no padding, "" if there is none, and its numbers."""
    (height, width), (down, across), (top, bottom, left, right) = window.image, window.stride, window.padding
    found = [
        (_place(members, axes, -top, i=down, a=1), height, top or bottom),
        (_place(members, axes, -left, j=across, b=1), width, left or right),
    ]
    places = [(place, n) for place, n, padded in found if padded]
    condition = " && ".join(f"(unsigned)({{p{k}}}) < {n}u" for k, (_, n) in enumerate(places))
    return condition, tuple(place for place, _ in places)


def _places_that_see(window: Window, members: tuple[int, ...], axes: str) -> tuple[tuple[str, ...], tuple[Place, ...]]:
    """Return statements that find the place where the element (a, b) of the kernel is at a pixel, and their numbers.

    They set ``py`` and ``px``, the first pixel of the place in the padded image, and ``seen``, false if there is none.
    """
    (height, width), (down, across), (top, _, left, _) = window.out, window.stride, window.padding
    conditions = [f"(unsigned)py < {down * height}u", f"(unsigned)px < {across * width}u"]
    conditions += [f"{name} % {step} == 0" for name, step in (("py", down), ("px", across)) if step > 1]
    lines = "const int py = {p0}, px = {p1};", f"const bool seen = {' && '.join(conditions)};"
    return lines, (_place(members, axes, top, i=1, a=-1), _place(members, axes, left, j=1, b=-1))


def _place_that_sees(window: Window, stride: int) -> str:
    """Return the offset of the place at ``py`` and ``px``, given the stride of places."""
    (down, across), width = window.stride, window.out[1]
    return f"(py / {down} * {width} + px / {across}) * {_number(stride, window.out)}"


def _number(stride: int, size: tuple[int, int]) -> str:
    """Return a stride with the type that indices within images of this size need."""
    return f"{stride}LL" if stride * size[0] * size[1] >= INT else f"{stride}"


def _by_thread(name: str, out: Array) -> TypedReduction:
    kind = number_type(out.dtype)
    return TypedReduction(REDUCTIONS[name], kind, kind, Workers.THREAD)


def _least(out: Array) -> str:
    kind = number_type(out.dtype)
    return f"({kind})({ENDS[kind][0]})"
