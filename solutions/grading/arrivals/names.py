"""Reads the names that learning platforms give to folders and files of submissions.

    <name>_<participant>_assignsubmission_file_           Moodle, a folder for each
    <name>_<participant>_assignsubmission_file_<file>     Moodle, without folders
    <group>_<group's number>_assignsubmission_file_       Moodle, of a team
    <name>_<user>_<number>_<file>                         Canvas, all in one folder
    <name>_LATE_<user>_<number>_<file>                    the same, handed in late
    anon_<user>_<number>_<file>                           Canvas, anonymous

Moodle writes a participant's number and a group's alike. Which it is, only the gradebook tells.
Sources: `downloader.php` of Moodle's assignment module, `content_zipper.rb` of Canvas.
"""

import re
from typing import NamedTuple

MOODLE = re.compile(
    r"(?P<name>.+?)(?:_(?P<number>\d+))?_assignsubmission_(?P<kind>[a-z]+)_?(?P<file>.*)", re.DOTALL
)
ANONYMOUS = re.compile(
    r"(?P<late>LATE_)?(?P<name>anon)_(?P<number>\d+)_(?:\d+_)?(?P<file>.+)", re.DOTALL
)
CANVAS = re.compile(  # a name has a letter, a date has none
    r"(?P<name>(?=[^_]*[^\W\d_]).+?)_(?P<late>LATE_)?(?P<number>\d+)_(?:\d+_(?P<file>.+)|(?P<typed>text|link)\.html)",
    re.DOTALL,
)
NO_FILES = {
    "text": "a text was typed in, and no file handed in",
    "link": "a link was handed in, and no file",
    "onlinetext": "a text was typed in, and no file handed in",
}


class Sender(NamedTuple):
    """Who handed something in, as a platform says it.

    number    of the participant, the user or the group; "" where there is none
    file      the name that the student gave the file, or ""
    hidden    whether the platform hides the name
    no_file   why it is no file, or ""
    """

    name: str
    number: str = ""
    platform: str = ""
    file: str = ""
    late: bool = False
    hidden: bool = False
    no_file: str = ""


def sender_of(name: str) -> Sender | None:
    """Return who the folder or file of this name is from, or None if no platform named it."""
    if found := MOODLE.fullmatch(name):
        no_file = NO_FILES.get(found["kind"], "")
        return Sender(
            found["name"], found["number"] or "", "moodle", found["file"], no_file=no_file
        )
    if found := ANONYMOUS.fullmatch(name):
        shown = f"anonymous {found['number']}"
        return Sender(shown, found["number"], "canvas", found["file"], bool(found["late"]), True)
    if found := CANVAS.fullmatch(name):
        no_file = NO_FILES.get(found["typed"] or "", "")
        late = bool(found["late"])
        return Sender(
            found["name"], found["number"], "canvas", found["file"] or "", late, no_file=no_file
        )
    return None
