"""LatentLab: explore the latent spaces of generative models, and see how data biases them."""

__version__ = "0.1.0"
