sed 's/speed="10Mf"/speed="0f"/' "$DATA/tiny.xml" >speed.xml
ew check speed.xml
sed 's/bandwidth="1MBps"/bandwidth="-1MBps"/' "$DATA/tiny.xml" >negative.xml
ew check negative.xml
sed 's/bandwidth="1MBps"/bandwidth="0Bps"/' "$DATA/tiny.xml" >zero.xml
ew check zero.xml
sed 's/latency="1ms"/latency="nan"/' "$DATA/tiny.xml" >nan.xml
ew check nan.xml
sed 's/bandwidth="1MBps"/bandwidth="infBps"/' "$DATA/tiny.xml" >inf.xml
ew check inf.xml
