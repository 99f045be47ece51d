# The protocol buffers of ONNX as the target OnnxProto::onnx_proto. Debian's own package file
# (ONNXConfig.cmake) leans on the target protobuf::libprotobuf, for which LibTorch's package puts an
# empty one in place.
find_path(OnnxProto_INCLUDE_DIR onnx/onnx_pb.h)
find_library(OnnxProto_LIBRARY onnx_proto)
find_library(OnnxProto_PROTOBUF_LIBRARY protobuf)
include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(OnnxProto REQUIRED_VARS OnnxProto_LIBRARY
                                  OnnxProto_PROTOBUF_LIBRARY OnnxProto_INCLUDE_DIR)
mark_as_advanced(OnnxProto_INCLUDE_DIR OnnxProto_LIBRARY OnnxProto_PROTOBUF_LIBRARY)
if(OnnxProto_FOUND AND NOT TARGET OnnxProto::onnx_proto)
  add_library(OnnxProto::onnx_proto UNKNOWN IMPORTED)
  set_target_properties(OnnxProto::onnx_proto PROPERTIES
    IMPORTED_LOCATION ${OnnxProto_LIBRARY}
    INTERFACE_LINK_LIBRARIES ${OnnxProto_PROTOBUF_LIBRARY}
    INTERFACE_COMPILE_DEFINITIONS "ONNX_ML=1;ONNX_NAMESPACE=onnx"
    INTERFACE_INCLUDE_DIRECTORIES ${OnnxProto_INCLUDE_DIR})
endif()
