sed 's/<zone id="home"/<config><prop id="network\/model" value="CM02"\/><\/config>&/' tiny.xml >config.xml
ew check config.xml
