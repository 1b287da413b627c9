"""Members, nets that are trained in one stack, and the settings in which they may differ."""

from collections.abc import Mapping, Sequence
from dataclasses import fields, is_dataclass, replace
from typing import Any, NamedTuple

import numpy as np
from array_api_compat import array_namespace, is_array_api_obj

from anynet.core.checks import describe, nearest
from anynet.nn import Layer, Sequential
from anynet.optim import Optimizer
from anynet.training.settings import TrainSettings

OWN = ("net", "optimizer", *TrainSettings.PER_MEMBER)
"""Arguments of `fit` that may differ from member to member, besides fields of the optimizer."""

CHECKPOINTS = ("checkpoint", "checkpoint_every", "resume")
"""Arguments of `fit` about checkpoints."""

SHARED = (
    "data",
    "val",
    *(f.name for f in fields(TrainSettings) if f.name not in OWN),
    "callbacks",
    "on_epoch",
    "progress",
    *CHECKPOINTS,
    "ranks",
)
"""Arguments of `fit` that all members share."""

MOST_MEMBERS = 10_000
"""Largest number of nets that are trained at once, so that a slip of a number does not take hours or all memory."""

APART = "train those in a separate fit"
"""Advice for nets that cannot be members of one stack."""


class Member(NamedTuple):
    """A net to train, with its optimizer and settings.

    Attributes
    ----------
    net : Sequential
    optimizer : Optimizer
    settings : TrainSettings
    """

    net: Sequential
    optimizer: Optimizer
    settings: TrainSettings


def members_of(base: Member, settings: Sequence[Mapping[str, Any]]) -> list[Member]:
    """Return one member for each mapping of settings.

    Parameters
    ----------
    base : Member
        What members have in common.
    settings : sequence of dict
        For each member the settings that differ: those in ``OWN``, and fields of its optimizer, such as "lr".

    Returns
    -------
    list of Member

    Raises
    ------
    TypeError, ValueError
        If there are none or too many, or something is not a setting in which members may differ; the message has the
        member's number from 0.
    """
    if not len(settings):
        raise ValueError("members: expected settings for one member at least, got none")
    if len(settings) > MOST_MEMBERS:
        raise ValueError(f"members: expected at most {MOST_MEMBERS:,} nets, got more; {APART}")
    return [_member(base, k, own) for k, own in enumerate(settings)]


def _member(base: Member, k: int, own: Mapping[str, Any]) -> Member:
    if not isinstance(own, Mapping):
        raise TypeError(f'member {k}: expected settings by name, such as {{"seed": 1, "lr": 0.1}}, got {describe(own)}')
    optimizer = own.get("optimizer", base.optimizer)
    if not isinstance(optimizer, Optimizer):
        raise TypeError(f"member {k}: optimizer: expected an optimizer, such as SGD(0.01), got {describe(optimizer)}")
    inner = [field.name for field in fields(optimizer)]
    for name in own:
        if name in SHARED:
            raise ValueError(f"member {k}: {name} is the same for all nets that are trained at once; {APART}")
        if name not in (*OWN, *inner):
            raise ValueError(f'member {k}: no setting "{name}"{nearest(name, (*OWN, *inner))}')
    try:
        return Member(
            own.get("net", base.net),
            replace(optimizer, **{name: own[name] for name in inner if name in own}),
            replace(base.settings, **{name: own[name] for name in TrainSettings.PER_MEMBER if name in own}),
        )
    except (TypeError, ValueError) as error:
        raise type(error)(f"member {k}: {error}") from None


def check_nets(members: Sequence[Member]) -> None:
    """Check that nets differ in initializers only.

    Parameters
    ----------
    members : sequence of Member

    Raises
    ------
    TypeError
        If layers are to be compared and one is no dataclass; the message names it.
    ValueError
        If they differ in more; the message names the layer.
    """
    for k, member in enumerate(members):
        if member.net is members[0].net:
            continue
        first, other = members[0].net.named_layers(), member.net.named_layers()
        if len(first) != len(other):
            raise ValueError(f"members 0 and {k} have nets of {len(first)} and {len(other)} layers; {APART}")
        for (i, one), (j, two) in zip(first.items(), other.items(), strict=True):
            if i != j:
                raise ValueError(f"members 0 and {k} have nets with layers in other places, {i} and {j}; {APART}")
            if one is not two and not (type(one) is type(two) and _equal(_form(i, one), _form(j, two))):
                raise ValueError(f"members 0 and {k} differ in layer {i}, {one} and {two}; {APART}")
        inner = zip(members[0].net.named_containers().items(), member.net.named_containers().values(), strict=True)
        for (i, around), others in inner:
            if type(around) is not type(others):
                raise ValueError(f"members 0 and {k} differ in layer {i}, {around} and {others}; {APART}")


def common_optimizer(members: Sequence[Member]) -> Optimizer:
    """Return an optimizer that updates each member as its own optimizer would at the same learning rate.

    Parameters
    ----------
    members : sequence of Member

    Returns
    -------
    Optimizer
        Settings in which members differ are tuples.

    Raises
    ------
    ValueError
        If members differ in a setting that is not in ``Optimizer.PER_MEMBER``; the message names it.
    """
    first, changes = members[0].optimizer, dict[str, Any]()
    for k, member in enumerate(members):
        if type(member.optimizer) is not type(first):
            raise ValueError(f"members 0 and {k} have optimizers of two kinds, {first} and {member.optimizer}; {APART}")
    for name in (field.name for field in fields(first) if field.name != "lr"):
        values = tuple(getattr(member.optimizer, name) for member in members)
        k = next((i for i, value in enumerate(values) if value != values[0]), 0)
        if k and name not in first.PER_MEMBER:
            raise ValueError(
                f"members 0 and {k} have optimizers with another {name}, {first} and {members[k].optimizer}; {APART}"
            )
        if k:
            changes[name] = values
    return replace(first, **changes)


def _form(name: str, layer: Layer) -> dict[str, Any]:
    """Return a layer's settings without initializers."""
    if not is_dataclass(layer):
        raise TypeError(
            f"layer {name}, {type(layer).__name__}(): make it a frozen dataclass, so that nets can be compared"
        )
    starts = [p.init for p in (*layer.parameters().values(), *layer.state().values())]
    values = {field.name: getattr(layer, field.name) for field in fields(layer)}
    return {key: value for key, value in values.items() if not any(value is init for init in starts)}


def _equal(a: Any, b: Any) -> bool:
    """Compare settings, which may be arrays or contain some."""
    if a is b:
        return True
    if _is_array(a) or _is_array(b):
        return type(a) is type(b) and a.shape == b.shape and a.dtype == b.dtype and bool(array_namespace(a).all(a == b))
    if isinstance(a, Mapping) and isinstance(b, Mapping):
        return a.keys() == b.keys() and all(_equal(a[key], b[key]) for key in a)
    if isinstance(a, tuple | list) and type(a) is type(b):
        return len(a) == len(b) and all(map(_equal, a, b))
    if is_dataclass(a) and type(a) is type(b):
        return all(_equal(getattr(a, field.name), getattr(b, field.name)) for field in fields(a))
    return bool(a == b)


def _is_array(value: Any) -> bool:
    return is_array_api_obj(value) and not isinstance(value, np.generic)
