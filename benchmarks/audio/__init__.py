"""How right and how fast the analysis is, peers beside it.

`python -m benchmarks.audio [NAME...] [--quick] [--json FILE]`

material.py    where real sounds with truth are found on this machine; copies with neutral names
ours.py        the analysis, as a worker runs it
peers.py       librosa, and Essentia and aubio where they are installed (`pip install -e '.[peers]'`)
scores.py      tempo and key against their truth
kinds.py       one-shot, loop, track; tempi claimed for one-shots and noise
notes.py       the pitch of rendered single notes
loudness.py    EBU R128 against FFmpeg
shared.py      the features librosa has too
costs.py       CPU, memory, the first file of a fresh process
"""
