ew version 1
