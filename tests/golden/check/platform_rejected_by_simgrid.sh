sed 's/<link_ctn id="radio"\/>/<link_ctn id="wire"\/>/' tiny.xml >unknown_link.xml
ew check unknown_link.xml
sed 's/speed="10Mf"/speed="10 apples"/' tiny.xml >unit.xml
ew check unit.xml
head -n 20 tiny.xml >cut.xml
ew check cut.xml
echo 'not a platform' >text.xml
ew check text.xml
sed 's/<host id="hub"/<host id="cam"/' tiny.xml >twice.xml
ew check twice.xml
