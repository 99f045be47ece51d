# Runs examples/stream: on grey frames, in which there is nothing to tell, on arguments that cannot
# be, and, where the ffmpeg program and the video are at hand, on a face that must be told of.
#
#   cmake -DPROGRAM=... -DMODELS=... -DWORK=... -DVIDEO=... -P check_stream_example.cmake
file(MAKE_DIRECTORY ${WORK})
set(ENV{MIEN_MODELS} ${MODELS})

function(stream frames width height)
  execute_process(COMMAND ${PROGRAM} ${width} ${height} 30 INPUT_FILE ${frames}
                  OUTPUT_VARIABLE out ERROR_VARIABLE error RESULT_VARIABLE code)
  set(out "${out}" PARENT_SCOPE)
  set(error "${error}" PARENT_SCOPE)
  set(code "${code}" PARENT_SCOPE)
endfunction()

# Five frames of 64 x 48 x 3 bytes, and a piece of a sixth.
string(REPEAT "g" 46180 grey)
file(WRITE ${WORK}/grey.rgb "${grey}")
stream(${WORK}/grey.rgb 64 48)
if(NOT code EQUAL 0 OR NOT out STREQUAL "" OR NOT error MATCHES "slowest frame took [0-9.e+-]+ ms")
  message(FATAL_ERROR "grey frames: exit ${code}: ${out}${error}")
endif()
stream(${WORK}/grey.rgb 0 48)
if(NOT code EQUAL 1 OR error STREQUAL "")
  message(FATAL_ERROR "frames of no size: exit ${code}: ${out}${error}")
endif()

find_program(FFMPEG ffmpeg)
if(NOT FFMPEG OR NOT EXISTS ${VIDEO})
  message(STATUS "no ffmpeg program or no ${VIDEO}: not run on a face")
  return()
endif()
execute_process(COMMAND ${FFMPEG} -nostdin -v error -y -i ${VIDEO} -vf scale=640:360 -f rawvideo
                        -pix_fmt rgb24 ${WORK}/face.rgb RESULT_VARIABLE code)
if(NOT code EQUAL 0)
  message(FATAL_ERROR "ffmpeg: exit ${code}")
endif()
stream(${WORK}/face.rgb 640 360)
file(REMOVE ${WORK}/face.rgb)
if(NOT code EQUAL 0 OR NOT out MATCHES "s: face 1 happiness")
  message(FATAL_ERROR "a smiling face: exit ${code}: ${out}${error}")
endif()
