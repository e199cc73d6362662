"""python3 -c THIS WHEEL SHA256 FOLDER [MEMBER...]: checks the wheel's hash, then unpacks it into FOLDER.

With members, only those, without their folders or, after a `=`, to the place named there; with a `/` at the end, a
whole folder. Without any, everything. Ends with status 3 on a wrong hash.
"""
import hashlib
import pathlib
import shutil
import sys
import zipfile

wheel, expected, folder, *members = sys.argv[1:]
came = hashlib.sha256(pathlib.Path(wheel).read_bytes()).hexdigest()
if came != expected:
    print(came)
    sys.exit(3)
with zipfile.ZipFile(wheel) as archive:
    if not members:
        archive.extractall(folder)
    for member in members:
        source, _, target = member.partition("=")
        names = [source]
        if source.endswith("/"):
            names = [name for name in archive.namelist() if name.startswith(source) and not name.endswith("/")]
        for name in names:
            inner = target + name[len(source):] if source.endswith("/") else target or pathlib.Path(source).name
            place = pathlib.Path(folder) / inner
            place.parent.mkdir(parents=True, exist_ok=True)
            with archive.open(name) as file, open(place, "wb") as copy:
                shutil.copyfileobj(file, copy)
            mode = archive.getinfo(name).external_attr >> 16 & 0o777
            place.chmod(mode or 0o644)
