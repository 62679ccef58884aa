"""What the published networks expect of an image. Light: no numpy."""

# ImageNet's mean and standard deviation of RGB in 0–1, as the official training code and
# timm's configuration of these checkpoints have them.
MEAN = (0.485, 0.456, 0.406)
STD = (0.229, 0.224, 0.225)


def describe_input(embedded: bool) -> str:
    """Return what a caller has to do to a picture before the network takes it.

    ``embedded``: the file normalizes by itself.
    """
    if embedded:
        return "RGB, 0 to 255"
    return f"RGB, 0 to 1, minus {MEAN}, divided by {STD}"
