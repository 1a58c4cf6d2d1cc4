"""python -m samplemind_tasks.cli"""

from samplemind_tasks.cli import main

if __name__ == "__main__":
    main()
