/** The thread of a heartbeat. */
import { workerData } from "node:worker_threads";
import { beatEverySecond } from "./beat.js";

beatEverySecond(workerData);
