/** Every training case of the reference on the CPU engine and on WebGPU; the page runs the same (tests/browser). */
import { testOnEachDevice } from "./each_device.ts";
import { trainingParity } from "./training.ts";

await testOnEachDevice("training parity", trainingParity);
