sed 's/speed="10Mf"/speed="10Mf" core="4"/' tiny.xml >cores.xml
ew check cores.xml
