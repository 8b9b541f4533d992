head -c 200 tiny.json >cut.json
ew check cut.json
: >empty.json
ew check empty.json
