cat >empty.xml <<'XML'
<?xml version='1.0'?>
<!DOCTYPE platform SYSTEM "https://simgrid.org/simgrid.dtd">
<platform version="4.1"><zone id="home" routing="Full"></zone></platform>
XML
ew check empty.xml
