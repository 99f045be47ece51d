# Installs the libraries of BUILD, builds examples/embed against the installation and runs it: with a
# model that does not exist, and with each expression model of MODELS on one grey face. With
# PIPELINE=ON examples/watch and examples/stream are built as well, and run on what does not exist.
#
#   cmake -DBUILD=... -DEXAMPLES=... -DWORK=... -DMODELS=... [-DPIPELINE=ON] -P check_install.cmake
function(run what)
  execute_process(COMMAND ${ARGN} OUTPUT_VARIABLE out ERROR_VARIABLE out RESULT_VARIABLE code)
  if(NOT code EQUAL 0)
    message(FATAL_ERROR "${what}: ${out}")
  endif()
endfunction()

file(REMOVE_RECURSE ${WORK})
run("install" ${CMAKE_COMMAND} --install ${BUILD} --prefix ${WORK}/first --component Development)
# The package must survive being moved.
file(RENAME ${WORK}/first ${WORK}/prefix)
foreach(name IN ITEMS embed watch stream)
  file(READ ${EXAMPLES}/${name}/main.cpp program)
  string(REGEX MATCHALL "\n" lines "${program}")
  list(LENGTH lines lines)
  if(lines GREATER 40)
    message(FATAL_ERROR "examples/${name} has ${lines} lines; embedding should take 40")
  endif()
endforeach()

function(build_example name)
  run("configure ${name}" ${CMAKE_COMMAND} -S ${EXAMPLES}/${name} -B ${WORK}/${name} -G Ninja
      -DCMAKE_PREFIX_PATH=${WORK}/prefix)
  run("build ${name}" ${CMAKE_COMMAND} --build ${WORK}/${name})
endfunction()

function(must_refuse what)
  execute_process(COMMAND ${ARGN} ${what} OUTPUT_VARIABLE out ERROR_VARIABLE error
                  RESULT_VARIABLE code)
  if(NOT code EQUAL 1 OR error STREQUAL "")
    message(FATAL_ERROR "${ARGN} ${what}: exit ${code} and '${error}'")
  endif()
endfunction()

build_example(embed)
must_refuse("no/such.safetensors" ${WORK}/embed/embed)
if(PIPELINE)
  build_example(watch)
  must_refuse("no/such.mp4" ${WORK}/watch/watch)
  build_example(stream)
  must_refuse("640" ${WORK}/stream/stream)
endif()

# 16 times 112 x 112 x 3 bytes of one grey, the clip that the small presets take.
string(REPEAT "g" 602112 face)
file(WRITE ${WORK}/face.rgb "${face}")
file(GLOB models ${MODELS}/s2d-*.safetensors ${MODELS}/adatosk-*.safetensors)
foreach(model IN LISTS models)
  execute_process(COMMAND ${WORK}/embed/embed ${model} INPUT_FILE ${WORK}/face.rgb
                  OUTPUT_VARIABLE out ERROR_VARIABLE error RESULT_VARIABLE code)
  if(NOT code EQUAL 0 OR NOT out MATCHES "happiness [0-9.e-]+")
    message(FATAL_ERROR "${model}: exit ${code}: ${out}${error}")
  endif()
endforeach()
