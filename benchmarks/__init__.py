"""What SampleMind costs, measured on this machine: `python -m benchmarks [NAME...] [--quick] [--json FILE] [--check]`.

sizes.py       how many files each part takes, in full and with --quick
material.py    the files themselves, seeded
world.py       one embedded stack, and how it is talked to
processes.py   CPU seconds and memory of its processes
baseline.py    the stages' own pure code in two plain processes: what the trip is held against
load.py        fifty clients in a process of their own
figures.py     a figure, the table and the JSON file
bench_*.py     the parts; bench_audio.py stands alone and needs a corpus with truth
"""
