# Builds the page: copies SOURCE to WORK, fetches what package-lock.json names (only when that changed), checks and builds,
# puts the outcome into PAGE and touches STAMP. Where npm cannot fetch there is no page and no stamp, so the next build
# tries again; it is a failure only where NEEDED is not AUTO.
cmake_minimum_required(VERSION 3.25)

function(run what)
  set(log ${WORK}/${what}.log)
  execute_process(COMMAND ${ARGN} WORKING_DIRECTORY ${WORK} RESULT_VARIABLE result OUTPUT_FILE ${log} ERROR_FILE ${log})
  set(result "${result}" PARENT_SCOPE)
  set(log ${log} PARENT_SCOPE)
endfunction()

file(REMOVE_RECURSE ${WORK}/src ${WORK}/dist)
file(COPY ${SOURCE}/src ${SOURCE}/index.html ${SOURCE}/package.json ${SOURCE}/package-lock.json ${SOURCE}/tsconfig.json
          ${SOURCE}/vite.config.ts ${SOURCE}/notices.ts
     DESTINATION ${WORK})

# npm and what it runs find node by the path; the node that was found at configure time comes first.
cmake_path(GET NODE PARENT_PATH node_folder)
set(ENV{PATH} "${node_folder}:$ENV{PATH}")

file(SHA256 ${WORK}/package-lock.json wanted)
set(installed "")
if(EXISTS ${WORK}/node_modules/.smpc-lock)
  file(READ ${WORK}/node_modules/.smpc-lock installed)
endif()
if(NOT installed STREQUAL wanted)
  # No package's own scripts: none of these needs one.
  run(npm-ci ${NPM} ci --ignore-scripts --no-audit --no-fund --fetch-retries=1 --fetch-retry-mintimeout=1000)
  if(NOT result EQUAL 0)
    file(REMOVE_RECURSE ${PAGE})
    if(NEEDED STREQUAL "AUTO")
      message(WARNING "The page of smpc-client ui is left out: npm could not fetch its packages, see ${log}. All else is built.")
      return()
    endif()
    message(FATAL_ERROR "npm could not fetch the packages of the page, see ${log}")
  endif()
  file(WRITE ${WORK}/node_modules/.smpc-lock ${wanted})
endif()

run(npm-run-build ${NPM} run build)
if(NOT result EQUAL 0)
  file(READ ${log} output)
  message(FATAL_ERROR "The page of smpc-client ui does not build.\n${output}")
endif()
file(REMOVE_RECURSE ${PAGE})
cmake_path(GET PAGE PARENT_PATH above)
file(MAKE_DIRECTORY ${above})
file(RENAME ${WORK}/dist ${PAGE})
file(TOUCH ${STAMP})
