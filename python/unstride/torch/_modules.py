"""The modules, and how they get into a model."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

from torch import Tensor, nn
from torch.nn.modules.conv import _ConvTransposeNd
from torch.nn.utils import parametrize

from ._functional import conv_transpose


class _Forward(_ConvTransposeNd):
    """What the modules have of their own. `strict` is that of conv_transpose."""

    strict = False
    padding: tuple[int, ...]  # never the name of a padding, which untransposed layers may have

    def forward(self, input: Tensor, output_size: list[int] | None = None) -> Tensor:
        output_padding: Sequence[int] = self.output_padding
        if output_size is not None:
            spatial = len(self.kernel_size)
            output_padding = self._output_padding(
                input,
                output_size,
                list(self.stride),
                list(self.padding),
                list(self.kernel_size),
                spatial,
                list(self.dilation),
            )
        return conv_transpose(
            input,
            self.weight,
            self.bias,
            self.stride,
            self.padding,
            output_padding,
            self.groups,
            self.dilation,
            strict=self.strict,
        )


class ConvTranspose1d(_Forward, nn.ConvTranspose1d):
    """torch.nn.ConvTranspose1d, but for how forward computes."""

    __module__ = "unstride.torch"


class ConvTranspose2d(_Forward, nn.ConvTranspose2d):
    """torch.nn.ConvTranspose2d, but for how forward computes."""

    __module__ = "unstride.torch"


class ConvTranspose3d(_Forward, nn.ConvTranspose3d):
    """torch.nn.ConvTranspose3d, but for how forward computes."""

    __module__ = "unstride.torch"


_OURS: dict[type[nn.Module], type[_Forward]] = {
    nn.ConvTranspose1d: ConvTranspose1d,
    nn.ConvTranspose2d: ConvTranspose2d,
    nn.ConvTranspose3d: ConvTranspose3d,
}
_OF_PYTORCH: dict[type[nn.Module], type[nn.Module]] = {ours: theirs for theirs, ours in _OURS.items()}


class Replacement(NamedTuple):
    """What replace_ did with the transposed convolutions of a model."""

    replaced: list[str]  # the names of modules that are Unstride's now
    left: dict[str, str]  # the names of those that are not, and why


def _plain_class(module: nn.Module) -> type[nn.Module]:
    """The class of a module, without the one that parametrizations derive from it for each module."""
    return type(module).__bases__[0] if parametrize.is_parametrized(module) else type(module)


def _set_class(module: nn.Module, to: type[nn.Module]) -> None:
    of_module = type(module)
    if parametrize.is_parametrized(module):
        attributes = {k: v for k, v in vars(of_module).items() if k not in ("__dict__", "__weakref__")}
        to = type(of_module.__name__, (to,), attributes)
    module.__class__ = to


def replace_(
    model: nn.Module, filter_fn: Callable[[nn.Module, str], bool] | None = None, *, strict: bool = False
) -> Replacement:
    """Makes all transposed convolutions of a model Unstride's, in place, and returns which ones.

    Parameters stay the same objects, so that optimizers and tied weights hold; hooks, parametrizations, buffers and
    modes stay, and state_dicts load as before. `filter_fn(module, name)` chooses among them. Subclasses of PyTorch's
    modules are left, as they may compute something else. With `strict`, calls that Unstride has no kernel for are
    errors, where else PyTorch computes them.
    """
    result = Replacement([], {})
    for name, module in model.named_modules():
        if not isinstance(module, _ConvTransposeNd):
            continue
        plain = _plain_class(module)
        if plain in _OF_PYTORCH:
            result.left[name] = "it is Unstride's already"
        elif plain not in _OURS:
            result.left[name] = f"{plain.__name__} is a subclass of PyTorch's module"
        elif filter_fn is not None and not filter_fn(module, name):
            result.left[name] = "filter_fn left it out"
        else:
            _set_class(module, _OURS[plain])
            if strict:
                module.__dict__["strict"] = True
            result.replaced.append(name)
    return result


def restore_(model: nn.Module) -> list[str]:
    """Makes all of Unstride's modules in a model PyTorch's again, in place, and returns their names."""
    restored = []
    for name, module in model.named_modules():
        plain = _plain_class(module)
        if plain in _OF_PYTORCH:
            _set_class(module, _OF_PYTORCH[plain])
            module.__dict__.pop("strict", None)
            restored.append(name)
    return restored
