sed 's/speed="10Mf"/speed="0f"/' tiny.xml >speed.xml
ew check speed.xml
sed 's/bandwidth="1MBps"/bandwidth="-1MBps"/' tiny.xml >negative.xml
ew check negative.xml
sed 's/bandwidth="1MBps"/bandwidth="0Bps"/' tiny.xml >zero.xml
ew check zero.xml
sed 's/latency="1ms"/latency="nan"/' tiny.xml >nan.xml
ew check nan.xml
sed 's/bandwidth="1MBps"/bandwidth="infBps"/' tiny.xml >inf.xml
ew check inf.xml
