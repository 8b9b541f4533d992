for command in run compare plan import list describe check plugin-check version help; do
    ew help $command
done
