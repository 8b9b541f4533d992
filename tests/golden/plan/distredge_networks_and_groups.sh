# The paper's other networks and its groups of 16 devices go through the same code. Shown is what no
# BLAS rounds: the volumes.
episodes=5
[ -z "${EW_FULL:-}" ] || episodes=60 # enough to learn something
volumes() { # network platform
    "$EW_PROGRAM" plan --graph "$1" --platform "$2" --strategy distredge --no-cache \
        --param draws=30 --param episodes=$episodes --save-plan plan.json >out.txt 2>&1 || cat out.txt
    quietly check plan.json --graph "$1" --platform "$2"
    echo "$1 on $2: $(sed -n 's/^ *volumes: *//p' out.txt | sed 's/ ([^)]*)//g')"
}
for network in resnet50 inception_v3 yolov2 ssd_resnet50 ssd_vgg16 openpose voxelnet; do
    volumes $network distredge_db
    volumes $network distredge_na
done
for group in la lb lc ld; do
    volumes vgg16 distredge_$group
done
