sed 's/<prop id="tx_w" value="0.5"\/>/&<prop id="profile" value="jetson_nano.ncnn_cpu_fp23"\/>/' tiny.xml >unknown.xml
ew check unknown.xml
sed 's/<prop id="tx_w" value="0.5"\/>/&<prop id="profile" value="..\/etc\/passwd"\/>/' tiny.xml >path.xml
ew check path.xml
