sed 's/speed="10Mf"/speed="10Mf" core="4"/' "$DATA/tiny.xml" >cores.xml
ew check cores.xml
