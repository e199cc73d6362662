"""Makes the pictures beside it, which tests/golden.rs expects: with numpy, scipy and Pillow, knowing nothing of turnkey.

    python3 -m venv /tmp/venv && /tmp/venv/bin/pip install numpy==2.4.6 scipy==1.17.1 pillow==13.0.0
    /tmp/venv/bin/python make.py
"""

from pathlib import Path

import numpy as np
from PIL import Image
from scipy.ndimage import gaussian_filter1d

HERE = Path(__file__).parent
WIDTH, HEIGHT = 40, 30


def rough():
    """A picture with an edge at nearly every pixel; drawn by the same formulas in tests/golden.rs."""
    y, x = np.mgrid[0:HEIGHT, 0:WIDTH]
    blue = np.where((x // 5 + y // 4) % 2 == 1, 255, x * y % 256)
    return np.stack([(x * x + 3 * y) % 256, (5 * x + y * y) % 256, blue], axis=-1).astype(np.uint8)


def smooth():
    """A picture as a lens makes it."""
    y, x = np.mgrid[0:HEIGHT, 0:WIDTH]
    return np.stack([30 + 3 * x + 2 * y, 200 - 2 * x - y, 100 + 40 * ((x // 8 + y // 8) % 2)], axis=-1).astype(np.uint8)


def levels(values):
    return np.clip(np.floor(values + 0.5), 0, 255).astype(np.uint8)


def save(name, picture):
    Image.fromarray(picture).save(HERE / f"{name}.png", optimize=True)


def area(picture, width, height):
    """Every pixel repeated until the output's pixels are whole blocks of them, and the blocks' means."""
    h, w, _ = picture.shape
    large = picture.repeat(height, axis=0).repeat(width, axis=1).astype(np.float64)
    return levels(large.reshape(height, h, width, w, 3).mean(axis=(1, 3)))


def rgb_from_yuyv(data):
    """BT.601 from its definition: luma weights, limited range."""
    kr, kb = 0.299, 0.114
    pairs = data.reshape(-1, 4).astype(np.float64)
    y = (pairs[:, [0, 2]].reshape(-1) - 16) / 219
    cb, cr = ((pairs[:, i].repeat(2) - 128) / 224 for i in (1, 3))
    red, blue = y + 2 * (1 - kr) * cr, y + 2 * (1 - kb) * cb
    green = (y - kr * red - kb * blue) / (1 - kr - kb)
    return levels(255 * np.stack([red, green, blue], axis=-1))


def blur(picture, sigma):
    """Three standard deviations on each side; beyond the edge, the edge."""
    blurred, radius = picture.astype(np.float64), int(np.ceil(3 * sigma))
    for axis in (0, 1):
        blurred = gaussian_filter1d(blurred, sigma, axis=axis, mode="nearest", radius=radius)
    return levels(blurred)


def gains(picture, factors):
    """Factors on the light of an sRGB picture."""
    v = picture / 255
    light = np.where(v <= 0.04045, v / 12.92, ((v + 0.055) / 1.055) ** 2.4) * np.array(factors)
    light = np.minimum(light, 1)
    return levels(255 * np.where(light <= 0.0031308, 12.92 * light, 1.055 * light ** (1 / 2.4) - 0.055))


def main():
    save("area_11x7", area(rough(), 11, 7))
    save("area_crop_9x12", area(rough()[4:27, 3:36], 9, 12))
    save("area_up_57x31", area(rough(), 57, 31))
    assert (area(rough(), 8, 6) == np.array(Image.fromarray(rough()).resize((8, 6), Image.Resampling.BOX))).all()
    data = (np.arange(2 * WIDTH * HEIGHT, dtype=np.uint32) ** 2 // 7 % 256).astype(np.uint8)
    save("yuyv", rgb_from_yuyv(data).reshape(HEIGHT, WIDTH, 3))
    save("blur_0.06", blur(rough(), 0.06 * HEIGHT))
    save("exposure_1.5", gains(rough(), [2**1.5] * 3))
    save("white_balance_1.5_0.6", gains(rough(), [1.5, 1.0, 0.6]))
    v = rough() / 255
    save("tone_1.7_0.6", levels(255 * (0.5 + 0.6 * (v**1.7 - 0.5))))
    for name, options in {
        "444": dict(subsampling=0),
        "422": dict(subsampling=1),
        "420": dict(subsampling=2),
        "restarts": dict(subsampling=1, restart_marker_blocks=2),
        "progressive": dict(subsampling=0, progressive=True),
        "optimised": dict(subsampling=0, optimize=True),
    }.items():
        path = HERE / f"{name}.jpg"
        Image.fromarray(smooth()).save(path, quality=85, **options)
        save(f"jpeg_{name}", np.array(Image.open(path).convert("RGB")))
    Image.fromarray(smooth()).convert("L").save(HERE / "grey.jpg", quality=85)
    save("jpeg_grey", np.array(Image.open(HERE / "grey.jpg").convert("RGB")))


main()
