// Milliseconds of CPU time per inference of ONNX Runtime: no optimisations, one thread, best of
// several runs. Called by compare_ort.sh: node ort_time.js MODEL.onnx RUNS
'use strict';
const fs = require('fs');
const ort = require('onnxruntime-node');

async function main(model, runs) {
    const session = await ort.InferenceSession.create(model, {
        graphOptimizationLevel: 'disabled', intraOpNumThreads: 1, interOpNumThreads: 1,
    });
    const bytes = fs.readFileSync(model.replace(/\.onnx$/, '.input'));
    const values = new Float32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4);
    const side = Math.round(Math.sqrt(values.length / 3));
    const feeds = {image: new ort.Tensor('float32', values, [1, 3, side, side])};
    let best = Infinity;
    for (let i = 0; i < runs; i++) {
        const before = process.cpuUsage();
        await session.run(feeds);
        const used = process.cpuUsage(before);
        best = Math.min(best, (used.user + used.system) / 1000);
    }
    console.log(best.toFixed(2));
}

main(process.argv[2], Number(process.argv[3])).catch((error) => {
    console.error(String(error));
    process.exit(1);
});
