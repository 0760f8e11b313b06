# Torch::pip: LibTorch from the pip package `torch`, without a CUDA toolkit (find_package(Torch) asks for one).
# TORCH_DIR names the package's folder; when it is empty Python is asked. Sets PipTorch_FOUND.
if(NOT TORCH_DIR)
  find_package(Python3 COMPONENTS Interpreter QUIET)
  execute_process(
    COMMAND ${Python3_EXECUTABLE} -c "import importlib.util as u; print(u.find_spec('torch').submodule_search_locations[0])"
    OUTPUT_VARIABLE TORCH_DIR OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
endif()
find_library(BUCKETLINE_TORCH_CPU torch_cpu PATHS ${TORCH_DIR}/lib NO_DEFAULT_PATH)
find_library(BUCKETLINE_TORCH_C10 c10 PATHS ${TORCH_DIR}/lib NO_DEFAULT_PATH)
if(TORCH_DIR AND BUCKETLINE_TORCH_CPU AND BUCKETLINE_TORCH_C10)
  set(PipTorch_FOUND TRUE)
  add_library(torch_pip_cpu SHARED IMPORTED)
  add_library(torch_pip_c10 SHARED IMPORTED)
  set_target_properties(torch_pip_cpu PROPERTIES IMPORTED_LOCATION ${BUCKETLINE_TORCH_CPU})
  set_target_properties(torch_pip_c10 PROPERTIES IMPORTED_LOCATION ${BUCKETLINE_TORCH_C10})
  add_library(torch_pip INTERFACE)
  add_library(Torch::pip ALIAS torch_pip)
  target_include_directories(torch_pip SYSTEM INTERFACE
    ${TORCH_DIR}/include ${TORCH_DIR}/include/torch/csrc/api/include)
  target_compile_definitions(torch_pip INTERFACE _GLIBCXX_USE_CXX11_ABI=1)
  target_link_libraries(torch_pip INTERFACE torch_pip_cpu torch_pip_c10)
  # libtorch_cpu names symbols of libraries that a CPU-only program never loads.
  target_link_options(torch_pip INTERFACE LINKER:--allow-shlib-undefined)
else()
  set(PipTorch_FOUND FALSE)
endif()
