import fc from "fast-check";
import { caseSeed } from "./numbers.js";

// Always the same cases, so that a change can't fail by chance.
fc.configureGlobal({ seed: caseSeed() });

export default fc;
