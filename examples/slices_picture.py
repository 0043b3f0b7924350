"""Draws slices of a volume before and after its resolution was doubled, at the same physical scale."""

import numpy as np
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

BACKGROUND, INK, FAINT, ACCENT = "#0e1116", "#f0f3f6", "#8b949e", "#ffb454"
PIXELS_PER_MM = 3
DPI = 100
MAGNIFICATION = 3

# Millimetres of paper, at the scale of the slices.
MARGIN, GAP, MIDDLE, TITLE, SUBTITLE, NAME, FOOTER = 14, 5, 20, 30, 15, 11, 20

# Fractions of (z, y, x): where the slices are cut, and the middle of the closer look, in the lateral ventricles.
CUT = (0.74, 0.46, 0.47)
FOCUS = (0.46, 0.49)


def head(volume, spacing):
    """What is brighter than a tenth of the brightest tissue, with a margin: ((y, y), (x, x)) in mm."""
    bright = volume > 0.1 * np.percentile(volume, 99.5)
    sides = []
    for axis in (1, 2):
        filled = np.flatnonzero(bright.any(axis=tuple({0, 1, 2} - {axis})))
        low, high = max(filled[0] - 3, 0), min(filled[-1] + 4, volume.shape[axis])
        sides.append((low * spacing[axis], high * spacing[axis]))
    return sides


class Paper:
    """A dark page measured in millimetres from its upper left corner."""

    def __init__(self, width, height):
        self.width, self.height = width, height
        scale = PIXELS_PER_MM / DPI
        self.figure = Figure(figsize=(width * scale, height * scale), facecolor=BACKGROUND)

    def text(self, x, y, text, size, color=INK, **options):
        self.figure.text(x / self.width, 1 - y / self.height, text, size=size, color=color, **options)

    def slice(self, x, y, name, image, spacing, region, gray, magnification=1, sides=("", "")):
        """Draws the part `region`, ((low, high) upwards, (low, high) rightwards) in mm, of a slice, under its name."""
        (bottom, top), (left, right) = region
        width, height = (right - left) * magnification, (top - bottom) * magnification
        self.text(x, y + NAME - 3, name, 13, FAINT)
        place = (x / self.width, 1 - (y + NAME + height) / self.height, width / self.width, height / self.height)
        axes = self.figure.add_axes(place, xticks=[], yticks=[])
        extent = (0, image.shape[1] * spacing[1], 0, image.shape[0] * spacing[0])
        axes.imshow(image, "gray", aspect="auto", interpolation="nearest", origin="lower", extent=extent, clim=gray)
        axes.set(xlim=(left, right), ylim=(bottom, top))
        axes.spines[:].set_visible(False)
        for at, side, align in zip((0.015, 0.985), sides, ("left", "right"), strict=True):
            axes.text(at, 0.97, side, color=FAINT, size=12, ha=align, va="top", transform=axes.transAxes)
        return axes


def frame(axes, region, width):
    (bottom, top), (left, right) = region
    box = Rectangle((left, bottom), right - left, top - bottom, fill=False, edgecolor=ACCENT, linewidth=width)
    box.set_clip_on(False)
    axes.add_patch(box)


def save_slices_picture(path, before, after, spacing, caption):
    """Writes a PNG of axial, coronal and sagittal slices through (z, y, x) volumes with voxels of `spacing` mm.

    `after` has twice the voxels of `before` along every axis. Nothing is interpolated in the drawing: a voxel is a
    rectangle.
    """
    extents = np.array(before.shape) * spacing
    ys, xs = head(before, spacing)
    zs = (0, extents[0])
    across, along, up = xs[1] - xs[0], ys[1] - ys[0], zs[1]
    focus = [
        (f * extents[axis] - along / MAGNIFICATION / 2, f * extents[axis] + along / MAGNIFICATION / 2)
        for axis, f in zip((1, 2), FOCUS, strict=True)
    ]
    half = across + GAP + along
    paper = Paper(2 * MARGIN + 2 * half + MIDDLE, TITLE + SUBTITLE + 2 * NAME + along + up + FOOTER)
    paper.text(MARGIN, 19, "An MRI volume, its resolution doubled by one transposed convolution", 25, weight="bold")
    paper.text(MARGIN, paper.height - 8, caption, 12, FAINT)

    gray = np.percentile(before, 99.7) * np.array([0.2, 1])
    for volume, voxel, word, x in (
        (before, np.array(spacing), "before", MARGIN),
        (after, np.array(spacing) / 2, "after", MARGIN + half + MIDDLE),
    ):
        z, y, x_cut = (int(cut * count) for cut, count in zip(CUT, volume.shape, strict=True))
        size = " × ".join(map(str, volume.shape))
        edges = " × ".join(f"{edge:.2g}" for edge in voxel)
        paper.text(x, TITLE + 8, word, 20, ACCENT, weight="bold")
        paper.text(x + 39, TITLE + 8, f"{size} voxels of {edges} mm", 16)
        right = x + across + GAP
        top = TITLE + SUBTITLE
        axial = paper.slice(x, top, "axial", volume[z], voxel[1:], (ys, xs), gray, sides="RL")
        name = f"axial, {MAGNIFICATION} times closer"
        closer = paper.slice(right, top, name, volume[z], voxel[1:], focus, gray, MAGNIFICATION)
        frame(axial, focus, 1.5)
        frame(closer, focus, 3)
        top += NAME + along
        paper.slice(x, top, "coronal", volume[:, y], voxel[[0, 2]], (zs, xs), gray, sides="RL")
        paper.slice(right, top, "sagittal", volume[:, :, x_cut], voxel[:2], (zs, ys), gray, sides="PA")
    paper.figure.savefig(path, dpi=DPI, facecolor=BACKGROUND)
