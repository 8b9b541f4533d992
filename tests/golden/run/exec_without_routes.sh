# Devices that nobody can reach do not matter to a worker that needs none.
cat >islands.xml <<'END'
<?xml version="1.0"?>
<!DOCTYPE platform SYSTEM "https://simgrid.org/simgrid.dtd">
<platform version="4.1">
  <zone id="sea" routing="Full">
    <host id="a" speed="10Gf"/>
    <host id="b" speed="10Gf"/>
  </zone>
</platform>
END
"$EW_PROGRAM" run --graph mobilenet_v1_0.25 --platform islands.xml --strategy local --engine exec \
    --json 2>&1 | grep -o '"completed": [0-9]*\|error: .*' | sort -u # a busy machine warns
