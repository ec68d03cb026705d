"""`python -m hand_pose_training`."""

import sys

from hand_pose_training.cli import main

sys.exit(main())
