ew version --graph vgg16
ew compare --save-plan x.json
