"""What MuJoCo's own OpenGL renderer sees of the claw, as silhouettes to hold our renderer to.

    pip install mujoco==3.17.0 numpy pillow      # and, on Debian, apt-get install libegl1 libegl-mesa0 libgl1-mesa-dri
    MUJOCO_GL=egl python tests/golden/silhouettes.py                    # writes tests/golden/silhouettes.txt
    MUJOCO_GL=egl python tests/golden/silhouettes.py --beside FOLDER    # docs/images/renderer-beside-opengl.png as well

FOLDER has our pictures, by `cargo run --release -p turnkey-sim --example pictures -- FOLDER`.

A line of the text is a view: its name; the camera's place, what it looks at (m), and its vertical angle (degrees);
the joints of every finger and the valve (rad); and 128 by 128 pixels row by row from the top, in runs: c claw,
v valve, m its mark, r the rest, each followed by how many. What is translucent is left out, as ours does.
"""

import argparse
import itertools
import pathlib

import mujoco
import numpy as np

HERE = pathlib.Path(__file__).parent
SIDE = 128
PICTURE = 256

ABOVE = ((0.0, 0.0, 0.31), (0.0, 0.0, 0.10), 58.0)
IN_FRONT = ((0.36, 0.0, 0.40), (0.0, 0.0, 0.10), 34.0)
BESIDE = ((-0.15, -0.30, 0.25), (0.0, 0.0, 0.14), 50.0)
VIEWS = [
    ("above_straight", ABOVE, (0.0, 0.0, 0.0), 1.0),
    ("above_closed", ABOVE, (0.0, -0.5, 0.9), 2.0),
    ("above_behind", ABOVE, (-0.4, -0.9, 1.2), -1.0),
    ("front_start", IN_FRONT, (0.0, -1.047, 1.047), 0.0),
    ("front_closed", IN_FRONT, (0.0, -0.5, 0.9), 2.0),
    ("front_aside", IN_FRONT, (0.45, -0.3, 0.5), -2.0),
    ("beside_closed", BESIDE, (0.0, -0.5, 0.9), 2.0),
]
SHOWN = ["above_closed", "above_behind", "front_closed", "front_aside"]


def look(model, data, place, target, degrees):
    """Turns the model's last camera, as turnkey_core::Camera::looking_at does."""
    back = np.subtract(place, target)
    back /= np.linalg.norm(back)
    right = np.cross([0.0, 0.0, 1.0], back)
    right = right / np.linalg.norm(right) if right @ right > 1e-12 else np.array([1.0, 0.0, 0.0])
    camera = model.ncam - 1
    data.cam_xpos[camera] = place
    data.cam_xmat[camera] = np.column_stack([right, np.cross(back, right), back]).ravel()
    model.cam_fovy[camera] = degrees
    return camera


def part(model, geom):
    name = model.geom(geom).name
    if name == "valve/mark":
        return "m"
    return "v" if name.startswith("valve/") else "c" if name.startswith(("claw", "finger")) else "r"


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--beside", type=pathlib.Path)
    ours = arguments.parse_args().beside
    model = mujoco.MjModel.from_xml_path(str(HERE / "../../hardware/dclaw/dclaw.xml"))
    data = mujoco.MjData(model)
    model.geom_group[model.geom_matid == model.material("plate").id] = 5
    parts = np.array([part(model, geom) for geom in range(model.ngeom)])
    colors = mujoco.Renderer(model, PICTURE, PICTURE) if ours else None
    model.vis.quality.offsamples = 0  # numbers of geoms must not be averaged
    numbers = mujoco.Renderer(model, SIDE, SIDE)
    numbers.enable_segmentation_rendering()
    lines, theirs = [], {}
    for name, view, finger, valve in VIEWS:
        data.qpos[:] = [*finger * 3, valve]
        mujoco.mj_forward(model, data)
        camera = look(model, data, *view)
        numbers.update_scene(data, camera)
        ids, kinds = np.moveaxis(numbers.render(), -1, 0)
        seen = np.where(kinds == mujoco.mjtObj.mjOBJ_GEOM, parts[np.maximum(ids, 0)], "r")
        runs = "".join(f"{key}{len(list(run))}" for key, run in itertools.groupby(seen.ravel()))
        place = " ".join(str(number) for number in (*view[0], *view[1], view[2], *finger, valve))
        lines.append(f"{name} {place} {runs}\n")
        if ours:
            colors.update_scene(data, camera)
            theirs[name] = colors.render().copy()
    (HERE / "silhouettes.txt").write_text("".join(lines))
    if ours:
        beside(theirs, ours)


def beside(theirs, folder):
    """MuJoCo's pictures above, ours below."""
    from PIL import Image

    sheet = Image.new("RGB", (PICTURE * len(SHOWN), 2 * PICTURE))
    for column, name in enumerate(SHOWN):
        sheet.paste(Image.fromarray(theirs[name]), (PICTURE * column, 0))
        sheet.paste(Image.open(folder / f"{name}.ppm").resize((PICTURE, PICTURE)), (PICTURE * column, PICTURE))
    sheet.save(HERE / "../../docs/images/renderer-beside-opengl.png", optimize=True)


main()
