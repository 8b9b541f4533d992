share=${EW_PROGRAM%/bin/*}/share/edgeweave
for file in "$share"/graphs/*.json "$share"/platforms/*.xml "$share"/platforms/profiles/*.json "$share"/scenarios/*.json; do
    [ ! -e "$file" ] || quietly check "$file" || echo "failed: $file"
done
