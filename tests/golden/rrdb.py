"""ESRGAN's network as it was published, for the recorded upscaler models: the tests need no spandrel.

Wang et al. 2018, "ESRGAN": dense blocks of five convolutions in blocks of three, each with a residual of 0.2.
"""

import torch
import torch.nn.functional as F  # noqa: N812 - torch's own name for it

RESIDUAL = SLOPE = 0.2
DENSE, BLOCKS = 5, 3


class Rrdb:
    """Has what is needed of a spandrel descriptor; `tensors` have the names of the first ESRGAN."""

    def __init__(self, tensors):
        self.tensors = tensors
        layers = sorted({int(name.split(".")[1]) for name in tensors})
        self.first, self.trunk, *self.ups, self.hires, self.last = layers
        self.blocks = len({name.split(".")[3] for name in tensors if ".RDB1." in name})
        self.scale = 2 ** len(self.ups)

    def __call__(self, image):
        """Return the larger picture (1, 3, height, width)."""
        x = self.conv(f"model.{self.first}", image)
        y = x
        for block in range(self.blocks):
            y = y + RESIDUAL * self.dense_blocks(f"model.{self.trunk}.sub.{block}", y)
        x = x + self.conv(f"model.{self.trunk}.sub.{self.blocks}", y)
        for layer in self.ups:
            x = F.leaky_relu(self.conv(f"model.{layer}", F.interpolate(x, scale_factor=2, mode="nearest")), SLOPE)
        x = F.leaky_relu(self.conv(f"model.{self.hires}", x), SLOPE)
        return self.conv(f"model.{self.last}", x)

    def dense_blocks(self, name, x):
        for number in range(1, BLOCKS + 1):
            features = [x]
            for layer in range(1, DENSE):
                features.append(
                    F.leaky_relu(self.conv(f"{name}.RDB{number}.conv{layer}.0", torch.cat(features, 1)), SLOPE)
                )
            x = x + RESIDUAL * self.conv(f"{name}.RDB{number}.conv{DENSE}.0", torch.cat(features, 1))
        return x

    def conv(self, name, x):
        return F.conv2d(x, self.tensors[f"{name}.weight"], self.tensors[f"{name}.bias"], padding=1)


def load_rrdb(path, _device):
    """Return the network of a file."""
    return Rrdb({name: tensor.float() for name, tensor in torch.load(path, weights_only=True).items()})
