"""What all tests share. Set before NumPy loads: one BLAS thread, which is far faster on small products when the cores are busy."""

import os

os.environ["OPENBLAS_NUM_THREADS"] = "1"
