"""From settings to the objects that train."""

from anynet.app.config import Config
from anynet.core.checks import nearest
from anynet.nn import BatchNorm, Layer, LeakyReLU, Linear, ReLU, Sequential, Sigmoid, Tanh
from anynet.nn.initializers import He, Initializer, Normal, Xavier, Zeros
from anynet.nn.losses import Loss, hinge, softmax_cross_entropy
from anynet.optim import SGD, Adam, Optimizer
from anynet.optim.schedules import Constant, Cosine, Exponential, ExponentialDecay, Schedule, Step, Warmup

ACTIVATIONS: dict[str, Layer] = {"relu": ReLU(), "leaky-relu": LeakyReLU(), "sigmoid": Sigmoid(), "tanh": Tanh()}
LOSSES: dict[str, Loss] = {"cross-entropy": softmax_cross_entropy, "hinge": hinge}


def net(config: Config, n_in: int, n_out: int) -> Sequential:
    """(Linear, BatchNorm where wanted, activation) for every hidden width, and a Linear."""
    weights, biases = initializers(config.init)
    layers: list[Layer] = []
    for width in widths(config.hidden):
        layers.append(Linear(n_in, width, weights, biases))
        if config.batch_norm:
            layers.append(BatchNorm(width))
        layers.append(ACTIVATIONS[config.activation])
        n_in = width
    return Sequential(*layers, Linear(n_in, n_out, weights, biases))


def widths(text: str) -> tuple[int, ...]:
    """ "50,30" to (50, 30), "" to (). Raises ValueError for anything else."""
    parts = [part.strip() for part in text.split(",")] if text.strip() else []
    if not all(part.isdecimal() and int(part) > 0 for part in parts):
        raise ValueError(f'--hidden: expected positive widths separated by commas, as in 50,30, or "", got "{text}"')
    return tuple(map(int, parts))


def optimizer(config: Config) -> Optimizer:
    """The optimizer, with its schedule inside."""
    if config.optimizer == "adam":
        return Adam(schedule(config))
    return SGD(schedule(config), momentum=config.momentum, nesterov=config.nesterov)


def initializers(text: str) -> tuple[Initializer, Initializer]:
    """Where weights and biases start: biases at 0, but for "normal:STD", which is for both."""
    match _parse("init", text, he=0, xavier=0, zeros=0, normal=1):
        case "normal", std:
            return Normal(std), Normal(std)
        case "xavier", *_:
            return Xavier(), Zeros()
        case "zeros", *_:
            return Zeros(), Zeros()
        case _:
            return He(), Zeros()


def schedule(config: Config) -> Schedule:
    """The learning rate over the epochs, warm-up included."""
    if config.warmup >= config.epochs:
        raise ValueError(f"--warmup: expected less than the {config.epochs} epochs of the run, got {config.warmup:g}")
    then: Schedule
    match _parse("schedule", config.schedule, constant=0, exponential=1, decay=1, step=2, cosine=0):
        case "exponential", gamma:
            then = Exponential(config.lr, gamma)
        case "decay", k:
            then = ExponentialDecay(config.lr, k)
        case "step", factor, every:
            then = Step(config.lr, factor, every)
        case "cosine", *_:
            then = Cosine(config.lr, config.epochs - config.warmup)
        case _:
            then = Constant(config.lr)
    return Warmup(config.warmup, then) if config.warmup else then


def _parse(option: str, text: str, **kinds: int) -> tuple:
    """ "step:0.1:10" to ("step", 0.1, 10.0); ``kinds`` says how many numbers each name takes.

    Raises ValueError, which names the option and what is near, for anything else.
    """
    name, *rest = text.split(":")
    if name not in kinds:
        raise ValueError(f'--{option}: there is no "{name}"{nearest(name, kinds)}')
    try:
        numbers = [float(part) for part in rest]
    except ValueError:
        numbers = []
    if len(numbers) != kinds[name] or len(rest) != kinds[name] or not all(number >= 0 for number in numbers):
        form = ":".join([name, *["NUMBER"] * kinds[name]])
        raise ValueError(f'--{option}: expected {form}, numbers of 0 or more, got "{text}"')
    return name, *numbers
