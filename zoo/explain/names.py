"""Names of the methods of explanation, for command lines: light to import."""

DEFAULT_METHOD = "occlusion"
METHODS = (
    "occlusion",
    "gradient",
    "integrated-gradients",
    "smoothgrad",
    "guided-backpropagation",
    "deconvolution",
    "grad-cam",
)
