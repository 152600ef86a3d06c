// The functions of the addon. Each takes one object, checks all that it needs of it, and runs a
// kernel on its arrays in place. What it throws becomes a JavaScript error (addon/addon.cc).
#pragma once

#include <node_api.h>

#include "addon/arguments.h"

namespace charnn {

napi_value sequence_scratch(napi_env env, const Arguments& arguments);
/// @returns where in the scratch memory the outputs begin
napi_value forward_sequence(napi_env env, const Arguments& arguments);
/// @returns where in the scratch memory the gradient with respect to the input begins, for vectors
napi_value backward_sequence(napi_env env, const Arguments& arguments);

napi_value cross_entropy_scratch(napi_env env, const Arguments& arguments);
/// @returns where in the scratch memory the gradient with respect to the input begins, if it is
/// wanted
napi_value cross_entropy(napi_env env, const Arguments& arguments);

/// All optimizer steps return the norm of the gradients before clipping.
napi_value adam_step(napi_env env, const Arguments& arguments);
napi_value sgd_step(napi_env env, const Arguments& arguments);
napi_value rms_prop_step(napi_env env, const Arguments& arguments);

napi_value pack_gradients(napi_env env, const Arguments& arguments);
napi_value add_records(napi_env env, const Arguments& arguments);
napi_value unpack_gradients(napi_env env, const Arguments& arguments);

napi_value sum_rows(napi_env env, const Arguments& arguments);
napi_value spread_rows(napi_env env, const Arguments& arguments);

/// Locks an open file until it is closed or its process ends in any way.
/// @returns "taken", "held" by another, or "unsupported" by the file system
napi_value lock_file(napi_env env, const Arguments& arguments);
/// Until signals are released, ends the process at the first one after those that are let through
/// to Node, or if it has not ended some time after the first. One that is let through stops
/// kernels.
/// @returns the byte that says whether kernels are to stop, where memory can be shared
napi_value guard_signals(napi_env env, const Arguments& arguments);
/// Lets kernels run again after a signal.
napi_value resume_kernels(napi_env env, const Arguments& arguments);
napi_value release_signals(napi_env env, const Arguments& arguments);
/// Leaves signals of the process to threads other than JavaScript's.
napi_value leave_signals(napi_env env, const Arguments& arguments);

/// Loads an MPI library and starts MPI, once in a process.
/// @returns rank, number of processes, the library's file and what it says of its version
napi_value open_mpi(napi_env env, const Arguments& arguments);
napi_value exchange_bytes(napi_env env, const Arguments& arguments);
napi_value gather_bytes(napi_env env, const Arguments& arguments);
napi_value broadcast_bytes(napi_env env, const Arguments& arguments);
/// Ends all processes, this one too.
napi_value abort_mpi(napi_env env, const Arguments& arguments);
napi_value close_mpi(napi_env env, const Arguments& arguments);

/// @returns a handle for the functions below, which take their arguments one by one
napi_value open_decode_session(napi_env env, const Arguments& arguments);
/// @param info the handle, tokens and logits
napi_value step_decode_session(napi_env env, napi_callback_info info);
/// @param info the handle, the sequence, and its state, which is overwritten
napi_value read_decode_state(napi_env env, napi_callback_info info);
/// @param info the handle, the sequence, and its state
napi_value write_decode_state(napi_env env, napi_callback_info info);
/// @param info the handle
napi_value close_decode_session(napi_env env, napi_callback_info info);

}  // namespace charnn
