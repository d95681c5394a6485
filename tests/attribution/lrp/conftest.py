"""One thread: the tests run beside others, and their bytes must not depend on the machine."""

import torch

torch.set_num_threads(1)
