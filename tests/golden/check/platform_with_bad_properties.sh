sed 's/value="1.0:3.0"/value="lots"/' tiny.xml >watts.xml
ew check watts.xml
sed 's/value="1.0:3.0"/value="3.0:1.0"/' tiny.xml >order.xml
ew check order.xml
sed 's/value="1048576"/value="nan"/' tiny.xml >memory.xml
ew check memory.xml
sed 's/id="tx_w"/id="txw"/' tiny.xml >name.xml
ew check name.xml
sed 's/id="memory_bytes" value="4194304"/id="message_overhead_s" value="-1"/' tiny.xml >twice.xml
ew check twice.xml
