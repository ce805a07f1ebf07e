"""Local stores that a copy left behind, as a bad disk or a bad backup gives them back."""

import os
import shutil


def spoil(tasks, choose):
    """What a bad disk or a bad backup does to the local stores that a copy left behind; returns what it was."""
    files = sorted(os.path.join(d, f) for d, _, names in os.walk(tasks) for f in names)
    files = [file for file in files if os.path.getsize(file) > 0]
    old = tasks + ".old"
    how = choose.choice(("left", "left", "damaged", "cut", "removed", "old")) if files else "none"
    if how == "old" and not os.path.isdir(old):
        how = "left"
    if how == "old":
        shutil.rmtree(tasks)
        os.rename(old, tasks)
        return "older ones put in their place"
    if files and choose.random() < 0.5:
        shutil.rmtree(old, ignore_errors=True)
        shutil.copytree(tasks, old)
    if how == "damaged":
        for file in choose.sample(files, min(len(files), 3)):
            with open(file, "r+b") as store:
                at = choose.randrange(os.path.getsize(file))
                store.seek(at)
                byte = store.read(1)[0]
                store.seek(at)
                store.write(bytes([byte ^ choose.randrange(1, 256)]))
        return "a byte of some changed"
    if how == "cut":
        file = choose.choice(files)
        os.truncate(file, choose.randrange(0, os.path.getsize(file), 4096))
        return "one cut at a page"
    if how == "removed":
        os.remove(choose.choice(files))
        return "a file of one removed"
    return "left as they were" if files else "none there"
