"""python3 -c THIS WHEEL SHA256 FOLDER [MEMBER...]: checks the wheel's hash, then unpacks it into FOLDER.

With members, only those, without their folders; without any, everything. Ends with status 3 on a wrong hash.
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
        target = pathlib.Path(folder) / pathlib.Path(member).name
        with archive.open(member) as source, open(target, "wb") as file:
            shutil.copyfileobj(source, file)
        mode = archive.getinfo(member).external_attr >> 16 & 0o777
        target.chmod(mode or 0o644)
