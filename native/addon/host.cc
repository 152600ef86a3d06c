// On Windows: the functions of Node that the addon calls, looked up in the program that has loaded
// it. An import library would name that program, node.exe, and the addon would load in no other.
//
// The build declares them as imports (NAPI_EXTERN), which are called through the pointers here. The
// linker reports a function that is missing in this list.
#if defined(_WIN32)
#define WIN32_LEAN_AND_MEAN
#define NOMINMAX
#include <windows.h>

#define CHARNN_HOST_FUNCTIONS(DO)      \
  DO(napi_adjust_external_memory)      \
  DO(napi_check_object_type_tag)       \
  DO(napi_create_array)                \
  DO(napi_create_double)               \
  DO(napi_create_external)             \
  DO(napi_create_external_arraybuffer) \
  DO(napi_create_function)             \
  DO(napi_create_object)               \
  DO(napi_create_string_utf8)          \
  DO(napi_create_typedarray)           \
  DO(napi_get_array_length)            \
  DO(napi_get_cb_info)                 \
  DO(napi_get_element)                 \
  DO(napi_get_instance_data)           \
  DO(napi_get_named_property)          \
  DO(napi_get_typedarray_info)         \
  DO(napi_get_value_bool)              \
  DO(napi_get_value_double)            \
  DO(napi_get_value_external)          \
  DO(napi_get_value_string_utf8)       \
  DO(napi_get_value_uint32)            \
  DO(napi_is_typedarray)               \
  DO(napi_set_element)                 \
  DO(napi_set_instance_data)           \
  DO(napi_set_named_property)          \
  DO(napi_throw_error)                 \
  DO(napi_throw_type_error)            \
  DO(napi_type_tag_object)             \
  DO(napi_typeof)

#define CHARNN_POINTER(name) FARPROC __imp_##name;
extern "C" {
CHARNN_HOST_FUNCTIONS(CHARNN_POINTER)
}

/// @returns FALSE, so that the addon does not load, where the program lacks one of the functions
extern "C" BOOL WINAPI DllMain(HINSTANCE, DWORD reason, void*) {
  if (reason != DLL_PROCESS_ATTACH) return TRUE;
  const HMODULE host = GetModuleHandleW(nullptr);
#define CHARNN_LOOK_UP(name)                  \
  __imp_##name = GetProcAddress(host, #name); \
  if (__imp_##name == nullptr) return FALSE;
  CHARNN_HOST_FUNCTIONS(CHARNN_LOOK_UP)
  return TRUE;
}
#endif
