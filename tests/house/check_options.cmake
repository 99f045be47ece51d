# Asking for a part without what it stands on must stop the configure step with our message.
#
#   cmake -DSOURCE=... -DWORK=folder -P check_options.cmake
set(none -DMIEN_ENGINE=OFF -DMIEN_MEDIA=OFF -DMIEN_REPORT=OFF -DMIEN_EXPORT=OFF -DMIEN_PIPELINE=OFF
    -DMIEN_LEARN=OFF -DMIEN_CLI=OFF -DMIEN_BENCH=OFF -DMIEN_TESTS=OFF -DMIEN_FUZZ=OFF)

function(must_refuse message)
  execute_process(COMMAND ${CMAKE_COMMAND} -S ${SOURCE} -B ${WORK} -G Ninja ${none} ${ARGN}
                  OUTPUT_VARIABLE out ERROR_VARIABLE out RESULT_VARIABLE code)
  string(REGEX REPLACE "[ \n]+" " " out "${out}")
  if(code EQUAL 0)
    message(SEND_ERROR "${ARGN}: accepted")
  elseif(NOT out MATCHES "${message}")
    message(SEND_ERROR "${ARGN}: refused without saying '${message}': ${out}")
  endif()
endfunction()

must_refuse("MIEN_PIPELINE=ON needs MIEN_MEDIA=ON" -DMIEN_PIPELINE=ON -DMIEN_ENGINE=ON -DMIEN_REPORT=ON)
must_refuse("MIEN_PIPELINE=ON needs MIEN_ENGINE=ON" -DMIEN_PIPELINE=ON -DMIEN_MEDIA=ON -DMIEN_REPORT=ON)
must_refuse("MIEN_PIPELINE=ON needs MIEN_REPORT=ON" -DMIEN_PIPELINE=ON -DMIEN_ENGINE=ON -DMIEN_MEDIA=ON)
must_refuse("MIEN_LEARN=ON needs MIEN_REPORT=ON" -DMIEN_LEARN=ON)
must_refuse("MIEN_BENCH=ON needs MIEN_ENGINE=ON" -DMIEN_BENCH=ON)
must_refuse("MIEN_CLI=ON needs MIEN_PIPELINE=ON or MIEN_LEARN=ON" -DMIEN_CLI=ON)
