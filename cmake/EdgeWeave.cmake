# Helpers of the build: one place for flags, tests and strategies.

set(EW_WARNINGS -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wstrict-prototypes
                -Wmissing-prototypes -Wvla -Wformat=2 -Wundef)

# Language level, warnings, sanitizers for one target.
function(ew_target_defaults target)
    set_target_properties(${target} PROPERTIES C_STANDARD 17 C_STANDARD_REQUIRED ON
                                               C_EXTENSIONS OFF)
    target_compile_definitions(${target} PRIVATE _POSIX_C_SOURCE=200809L)
    target_compile_options(${target} PRIVATE ${EW_WARNINGS} $<$<BOOL:${EW_WERROR}>:-Werror>
                                             -ffp-contract=off)
    if(EW_SANITIZE)
        target_compile_options(${target} PRIVATE -fsanitize=address,undefined
                                                 -fno-sanitize-recover=all
                                                 -fno-omit-frame-pointer)
        target_link_options(${target} PRIVATE -fsanitize=address,undefined)
        target_compile_definitions(${target} PRIVATE EW_ARENA_MALLOC EW_SANITIZED)
    endif()
    if(EW_FUZZ)
        target_compile_options(${target} PRIVATE -fsanitize=fuzzer-no-link,address,undefined
                                                 -fno-sanitize-recover=all)
        target_link_options(${target} PRIVATE -fsanitize=address,undefined)
        target_compile_definitions(${target} PRIVATE EW_ARENA_MALLOC EW_SANITIZED)
    endif()
    if(EW_COVERAGE)
        target_compile_options(${target} PRIVATE --coverage -O0)
        target_link_options(${target} PRIVATE --coverage)
    endif()
endfunction()

# A strategy plugin from strategies/<name>/:
# ew_add_strategy(name SOURCES a.c b.c [INCLUDES …] [LIBRARIES …]).
function(ew_add_strategy name)
    cmake_parse_arguments(arg "" "" "SOURCES;INCLUDES;LIBRARIES" ${ARGN})
    list(TRANSFORM arg_SOURCES PREPEND strategies/${name}/)
    add_library(strategy_${name} MODULE ${arg_SOURCES})
    target_include_directories(strategy_${name} SYSTEM PRIVATE ${arg_INCLUDES})
    target_link_libraries(strategy_${name} PRIVATE strategy_common ${arg_LIBRARIES} m)
    target_link_options(strategy_${name} PRIVATE LINKER:--exclude-libs,ALL)
    set_target_properties(strategy_${name} PROPERTIES
        PREFIX "" OUTPUT_NAME ${name} C_VISIBILITY_PRESET hidden
        LIBRARY_OUTPUT_DIRECTORY ${EW_LIB_DIR}/strategies)
    ew_target_defaults(strategy_${name})
    install(TARGETS strategy_${name}
            LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR}/edgeweave/strategies)
endfunction()

# A Check program <folder>/test_<name>.c, for tests/CMakeLists.txt:
# ew_add_check_test(folder name [SOURCES …] [LIBRARIES …]).
function(ew_add_check_test folder name)
    cmake_parse_arguments(arg "" "" "SOURCES;LIBRARIES" ${ARGN})
    add_executable(test_${name} ${folder}/test_${name}.c ${arg_SOURCES})
    target_include_directories(test_${name} PRIVATE ${CMAKE_SOURCE_DIR}/strategies)
    target_compile_definitions(test_${name} PRIVATE EW_SOURCE_DIR="${CMAKE_SOURCE_DIR}"
                                                    EW_BINARY_DIR="${CMAKE_BINARY_DIR}")
    target_link_libraries(test_${name} PRIVATE edgeweave_test_support ${arg_LIBRARIES})
    ew_target_defaults(test_${name})
    add_test(NAME ${folder}.${name} COMMAND test_${name})
    set_tests_properties(${folder}.${name} PROPERTIES LABELS ${folder})
endfunction()

# C code of a protobuf schema, by nanopb at build time, as a static library:
# ew_generate_nanopb(target folder/name.proto). Generated code and nanopb's own keep their warnings.
find_program(EW_PROTOC protoc REQUIRED)
find_program(EW_NANOPB_PLUGIN protoc-gen-nanopb REQUIRED)
find_library(EW_NANOPB_LIBRARY protobuf-nanopb REQUIRED)
find_path(EW_NANOPB_INCLUDE pb_decode.h PATH_SUFFIXES nanopb REQUIRED)
function(ew_generate_nanopb target proto)
    get_filename_component(folder ${CMAKE_SOURCE_DIR}/${proto} DIRECTORY)
    get_filename_component(name ${proto} NAME_WE)
    set(out ${CMAKE_BINARY_DIR}/generated)
    file(MAKE_DIRECTORY ${out})
    add_custom_command(
        OUTPUT ${out}/${name}.pb.c ${out}/${name}.pb.h
        COMMAND ${EW_PROTOC} --plugin=protoc-gen-nanopb=${EW_NANOPB_PLUGIN} -I ${folder}
                --nanopb_out=${out} ${CMAKE_SOURCE_DIR}/${proto}
        DEPENDS ${CMAKE_SOURCE_DIR}/${proto}
        COMMENT "Generating ${name}.pb.c"
        VERBATIM)
    add_library(${target} STATIC ${out}/${name}.pb.c ${out}/${name}.pb.h)
    set_target_properties(${target} PROPERTIES POSITION_INDEPENDENT_CODE ON C_STANDARD 17)
    target_include_directories(${target} SYSTEM PUBLIC ${out} ${EW_NANOPB_INCLUDE})
    target_link_libraries(${target} PUBLIC ${EW_NANOPB_LIBRARY})
endfunction()
